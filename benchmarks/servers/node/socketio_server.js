/** socket.io with its own rooms; clients come by WebSocket at once. The query names the room. No tokens. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { listenForEvents, makeEvent } from './common.js';

const [port, controlPort] = process.argv.slice(2).map(Number);
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => socket.join(socket.handshake.query.room));
listenForEvents(controlPort, (room, seq) => io.to(room).emit('event', makeEvent(seq)));
http.listen(port, '127.0.0.1', 2048);
