import { expect, test, vi } from 'vitest';
import type { Message } from '$client';
import { Hub, type SharedClient, type Told } from '../src/lib/local/hub';

/** A hub over a client that is never really connected, what it told, and how the server speaks to it. */
function connected() {
  let hear: (message: Message) => void = () => {};
  const told: Told[] = [];
  const client = {
    state: 'open',
    connect: vi.fn(),
    disconnect: vi.fn(),
    joinProject: vi.fn(async () => {}),
    leaveProject: vi.fn(),
    cursor: () => null,
    setCursor: vi.fn(),
    presence: () => [],
    typing: vi.fn(),
    viewing: vi.fn(),
    ping: vi.fn(),
    on: (_: string, handler: (message: Message) => void) => {
      hear = handler;
      return () => {};
    },
  } as unknown as SharedClient;
  const hub = new Hub(client, (message) => told.push(message));
  const left = (reason: string) => hear({ type: 'project_left', project_id: 'P', data: { reason } } as Message);
  const types = () => told.flatMap((message) => ('told' in message ? [message.told.type] : []));
  return { hub, client, left, types };
}

test('the answer to leaving says nothing to a tab that has joined again meanwhile', () => {
  const { hub, client, left, types } = connected();
  hub.receive('tab', { ask: 'join', project: 'P', since: null });
  hub.receive('tab', { ask: 'leave', project: 'P' });
  hub.receive('tab', { ask: 'join', project: 'P', since: null });
  left('left');
  expect(types()).toEqual([]);
  hub.receive('tab', { ask: 'leave', project: 'P' });
  expect(client.leaveProject).toHaveBeenCalledTimes(2);
});

test('a tab that lost the project is told', () => {
  const { hub, left, types } = connected();
  hub.receive('tab', { ask: 'join', project: 'P', since: null });
  left('revoked');
  expect(types()).toEqual(['project_left']);
});
