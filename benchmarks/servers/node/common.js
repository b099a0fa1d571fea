/** What the Node peers share: the event everybody is sent, and the port its numbers come in by. */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const EVENT_BYTES = 304;

/** Return event `seq`: 304 bytes when encoded. */
export function makeEvent(seq) {
  const event = {
    type: 'task_updated',
    project_id: '00000000-0000-4000-8000-000000000000',
    seq,
    timestamp: '2026-11-22T10:00:00.123Z',
    user_id: '6f0c2f5e-8f0a-4c3e-9d53-3a8f2f8f7f11',
    op_id: null,
    data: { title: '' },
  };
  event.data.title = 'x'.repeat(EVENT_BYTES - JSON.stringify(event).length);
  return event;
}

/** Call `publish(room, seq)` for each line `<room> <seq>` on the control port. */
export function listenForEvents(port, publish) {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const lines = createInterface({ input: socket });
    lines.on('error', () => lines.close()); // the interface throws what its socket says again
    lines.on('line', (line) => {
      const [room, seq] = line.split(' ');
      publish(room, Number(seq));
    });
  }).listen(port, '127.0.0.1');
}
