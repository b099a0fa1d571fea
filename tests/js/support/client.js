/** Clients at the stages that tests begin from. */

import { createClient } from '../../../static/js/websocket.js';
import { FakePlatform, settle } from './platform.js';

export const SERVER = 'https://todo.example.org';

/** A client that has done nothing yet, its surroundings, and what its handlers have heard. */
export const newClient = (options = {}) => {
  const platform = new FakePlatform();
  const client = createClient({ url: SERVER, platform, ...options });
  const heard = [];
  client.on('*', (message) => heard.push(message));
  return {
    client,
    platform,
    heard,
    /** The messages heard of one type, oldest first. */
    ofType: (type) => heard.filter((message) => message.type === type),
    /** The numbers of the events handed on. */
    seqs: () => heard.filter((message) => message.seq).map((message) => message.seq),
    /** The states entered, oldest first. */
    states: () => heard.filter((message) => message.type === 'state').map((message) => message.data.state),
  };
};

/** A client that is dialling. */
export const dialling = async (options) => {
  const test = newClient(options);
  test.client.connect();
  await settle();
  return test;
};

/** A client that is connected. */
export const connected = async (options, welcome) => {
  const test = await dialling(options);
  test.platform.socket.welcome(welcome);
  return test;
};

/** A client that follows project P, whose log stands at `seq`. */
export const following = async (seq = 0, options = {}) => {
  const test = await connected(options);
  test.client.joinProject('P');
  test.platform.socket.answerJoin({ seq });
  await settle();
  return test;
};

/** Loses the connection and makes the next one, up to its welcome. */
export const reconnect = async ({ platform }, code = 1006) => {
  platform.socket.drop(code);
  (await platform.nextDial()).welcome();
};
