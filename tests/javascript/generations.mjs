// What the official client does in every generation that is still in use: STREAM_CLIENT names the package.

import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

const { STREAM_URL: url, STREAM_KEY: key, STREAM_SECRET: secret, STREAM_CLIENT: name } = process.env;
const loaded = await import(name);
const { connect } = loaded.connect ? loaded : loaded.default;
const server = connect(key, secret, '1', { urlOverride: { api: `${url}/api/` } });

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
// One server serves all generations: each has feeds of its own.
const own = (word) => `${name}-${word}`;
const post = (object, more) => ({ actor: 'ann', verb: 'post', object, ...more });
const objectsOf = async (feed, query = {}) => (await feed.get(query)).results.map((activity) => activity.object);
// Generations differ in what an error holds.
const statusOf = (error) => error.response?.status ?? error.response?.statusCode ?? error.status;

async function refused(call, status) {
  const error = await call.then(
    () => assert.fail('the call was not refused'),
    (reason) => reason,
  );
  assert.equal(statusOf(error), status, `${error}`);
}

test('activities are added, read in pages and removed', async () => {
  const feed = server.feed('user', own('feed'));
  await feed.addActivities(['1', '2', '3'].map((object) => post(object)));
  const first = await feed.get({ limit: 2 });
  assert.deepEqual(first.results.map((activity) => activity.object), ['3', '2']);
  assert.deepEqual(await objectsOf(feed, { limit: 2, id_lt: first.results[1].id }), ['1']);
  const again = await (await fetch(`${url}${first.next}`, { headers: { authorization: feed.token ?? server.getOrCreateToken() } })).json();
  assert.deepEqual(again.results.map((activity) => activity.object), ['1']);
  await feed.removeActivity(first.results[0].id);
  await feed.addActivity(post('named', { foreign_id: 'post:1' }));
  await feed.removeActivity({ foreignId: 'post:1' });
  assert.deepEqual(await objectsOf(feed), ['2', '1']);
  await refused(feed.addActivity({ actor: 'ann', verb: 'post' }), 400);
});

test('follows bring and take, one by one and many at once', async () => {
  const [timeline, target] = [server.feed('timeline', own('reader')), server.feed('user', own('writer'))];
  await target.addActivity(post('before'));
  await timeline.follow('user', own('writer'));
  assert.deepEqual(await objectsOf(timeline), ['before']);
  assert.equal((await target.followers()).results[0].feed_id, `timeline:${own('reader')}`);
  await timeline.unfollow('user', own('writer'));
  const pair = { source: `timeline:${own('reader')}`, target: `user:${own('writer')}` };
  await server.followMany([pair], 0);
  await target.addActivity(post('after'));
  assert.deepEqual(await objectsOf(timeline), ['after']);
  if (server.unfollowMany) await server.unfollowMany([pair]);
  await server.addToMany(post('everywhere'), [`user:${own('many')}`, `flat:${own('many')}`]);
  assert.deepEqual(await objectsOf(server.feed('flat', own('many'))), ['everywhere']);
});

test('a wrong secret opens nothing', async () => {
  const stranger = connect(key, 'x'.repeat(60), '1', { urlOverride: { api: `${url}/api/` } });
  await refused(stranger.feed('user', own('feed')).get({}), 403);
  await refused(stranger.followMany([{ source: 'timeline:a', target: 'user:b' }]), 403);
});

test('collections, users and notifications', async () => {
  await server.collections.upsert(own('food'), [{ id: 'a', name: 'apple' }]);
  const { response } = await server.collections.select(own('food'), ['a']);
  assert.equal(response.data[0].data.name, 'apple');
  const feed = server.feed('notification', own('ann'));
  await feed.addActivity(post('1'));
  const [group] = (await feed.get({ mark_seen: true })).results;
  await feed.get({ mark_read: [group.id] });
  const after = await feed.get({});
  assert.deepEqual([after.unseen, after.unread], [0, 0]);
});

test('files and images are uploaded by stream', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'generations-')), 'pixel.png');
  writeFileSync(path, PIXEL);
  const stores = [server.files, server.images].filter(Boolean);
  assert.equal(stores.length, 2);
  for (const store of stores) {
    const { file } = await store.upload(createReadStream(path), 'pixel.png', 'image/png');
    assert.match(file, /pixel\.png\?/);
    const found = await fetch(file);
    assert.equal(found.status, 200);
    assert.equal(found.headers.get('content-type'), 'image/png');
    assert.ok((await found.arrayBuffer()).byteLength > 50);
    await store.delete(file);
    assert.equal((await fetch(file)).status, 404);
  }
});
