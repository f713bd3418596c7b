// feed.subscribe(): what is new on a feed arrives in the browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const stream = (await import(process.env.GETSTREAM)).default;
const { STREAM_URL: url, STREAM_KEY: key, STREAM_SECRET: secret, FAYE_TRANSPORT: transport } = process.env;
const options = { urlOverride: { api: `${url}/api/` }, fayeUrl: `${url}/faye` };
const server = stream.connect(key, secret, '1', options);

function signedIn(userId) {
  const client = stream.connect(key, server.createUserToken(userId), '1', options);
  if (transport === 'long-polling') client.getFayeClient().disable('websocket');
  return client;
}

/** Messages as they come, each to be awaited. */
function listening() {
  const came = [];
  const waiting = [];
  return {
    callback: (message) => (waiting.length ? waiting.shift()(message) : came.push(message)),
    next: () => (came.length ? Promise.resolve(came.shift()) : new Promise((done) => waiting.push(done))),
    came,
  };
}

async function over(client) {
  await client.getFayeClient().disconnect();
}

test('new and deleted activities of the own feed arrive', async () => {
  const ann = signedIn('ann');
  const heard = listening();
  await ann.feed('user', 'ann').subscribe(heard.callback);
  const posted = await server.feed('user', 'ann').addActivity({ actor: 'ann', verb: 'post', object: '1', foreign_id: 'p:1' });
  const message = await heard.next();
  assert.equal(message.feed, 'user:ann');
  assert.deepEqual(message.new.map((one) => [one.id, one.object]), [[posted.id, '1']]);
  assert.deepEqual(message.deleted, []);
  assert.ok(message.published_at);
  await server.feed('user', 'ann').removeActivity(posted.id);
  const later = await heard.next();
  assert.deepEqual([later.new, later.deleted, later.deleted_foreign_ids], [[], [posted.id], ['p:1']]);
  await over(ann);
});

test('what followed feeds bring arrives on the timeline', async () => {
  const bob = signedIn('bob');
  const heard = listening();
  await server.feed('timeline', 'bob').follow('user', 'cid');
  await bob.feed('timeline', 'bob').subscribe(heard.callback);
  await server.feed('user', 'somebody').addActivity({ actor: 'x', verb: 'post', object: 'not for bob' });
  await server.feed('user', 'cid').addActivity({ actor: 'cid', verb: 'post', object: '2' });
  const message = await heard.next();
  assert.equal(message.feed, 'timeline:bob');
  assert.deepEqual(message.new.map((one) => one.object), ['2']);
  await over(bob);
});

test('the feed of another user is not for everybody', async () => {
  const eve = signedIn('eve');
  await assert.rejects(
    new Promise((resolve, reject) => {
      eve.feed('timeline', 'ann').subscribe(() => {}).then(resolve, reject);
    }),
    /permission/,
  );
  await eve.feed('user', 'ann').subscribe(() => {});
  await over(eve);
});

test('after unsubscribe nothing comes', async () => {
  const dan = signedIn('dan');
  const [first, second] = [listening(), listening()];
  const own = dan.feed('user', 'dan');
  await own.subscribe(first.callback);
  await dan.feed('notification', 'dan').subscribe(second.callback);
  own.unsubscribe();
  // A call that is answered after the cancelling was: the client sends them in this order.
  await dan.feed('timeline', 'dan').subscribe(() => {});
  await server.feed('user', 'dan').addActivity({ actor: 'dan', verb: 'post', object: '3', to: ['notification:dan'] });
  const message = await second.next();
  assert.equal(message.feed, 'notification:dan');
  assert.deepEqual(first.came, []);
  await over(dan);
});
