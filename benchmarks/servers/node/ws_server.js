/** The `ws` library: one string, sent to each member of the room. The last part of the path is the room. No tokens. */
import { WebSocketServer } from 'ws';
import { listenForEvents, makeEvent } from './common.js';

const [port, controlPort] = process.argv.slice(2).map(Number);
const rooms = new Map();

const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, backlog: 2048 });
server.on('connection', (socket, request) => {
  const name = request.url.split('/').pop();
  if (!rooms.has(name)) rooms.set(name, new Set());
  const room = rooms.get(name).add(socket);
  socket.on('close', () => room.delete(socket));
  socket.on('error', () => room.delete(socket));
});

listenForEvents(controlPort, (room, seq) => {
  const text = JSON.stringify(makeEvent(seq));
  for (const socket of rooms.get(room) ?? []) socket.send(text);
});
