// Users, reactions, collections and media, mostly by a site's users.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { refused, server, signedIn } from './calling.mjs';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('users have profiles, which only they change', async () => {
  const bob = await signedIn('bob', { name: 'Bob' });
  assert.equal(bob.currentUser.ref(), 'SU:bob');
  await bob.currentUser.update({ name: 'Bobby' });
  const { full } = await bob.user('bob').get({ with_follow_counts: true });
  assert.deepEqual([full.data.name, full.followers_count], ['Bobby', 0]);
  await refused(bob.currentUser.create({ name: 'again' }), 409, 'ConflictException');
  assert.equal((await bob.currentUser.getOrCreate({ name: 'again' })).data.name, 'Bobby');
  const mallory = await signedIn('mallory');
  await refused(mallory.user('bob').update({ name: 'hacked' }), 403, 'NotAllowedException');
});

test("users write to their own feeds and follow from them, and to nobody else's", async () => {
  const [ann, eve] = [await signedIn('ann', { name: 'Ann' }), await signedIn('eve')];
  await ann.feed('user').addActivity({ verb: 'post', object: ann.currentUser.ref(), foreign_id: 'own:1' });
  const [found] = (await ann.feed('user').get()).results;
  assert.deepEqual([found.actor.data, found.object.data], [{ name: 'Ann' }, { name: 'Ann' }]);
  await eve.feed('timeline').follow('user', 'ann');
  assert.equal((await eve.feed('timeline').get()).results.length, 1);
  await refused(eve.feed('timeline', 'ann').follow('user', 'eve'), 403, 'NotAllowedException');
  await refused(eve.feed('user', 'ann').addActivity({ verb: 'post', object: '1' }), 403, 'NotAllowedException');
});

test('reactions are added, nested, changed, found, removed and restored', async () => {
  const [ann, bob] = [await signedIn('author', { name: 'Ann' }), await signedIn('reader', { name: 'Bob' })];
  const activity = await ann.feed('user').addActivity({ verb: 'post', object: '1', foreign_id: 'react:1' });
  const targets = { targetFeeds: ['notification:author'], targetFeedsExtraData: { extra: true } };
  const like = await bob.reactions.add('like', activity, { stars: 5 }, targets);
  assert.deepEqual([like.user_id, like.user.data.name], ['reader', 'Bob']);
  const [group] = (await ann.feed('notification').get()).results;
  assert.equal(group.activities[0].extra, true);

  const id = randomUUID();
  const comment = await bob.reactions.add('comment', activity.id, { text: 'hello' }, { id });
  assert.equal(comment.id, id);
  await ann.reactions.addChild('like', comment, { answer: true });
  await bob.reactions.update(id, { text: 'edited' });
  await refused(ann.reactions.update(id, { text: 'hacked' }), 403, 'NotAllowedException');
  const got = await bob.reactions.get(id);
  assert.deepEqual([got.data.text, got.children_counts, got.latest_children.like.length], ['edited', { like: 1 }, 1]);

  const asked = { withOwnReactions: true, withRecentReactions: true, withReactionCounts: true, withOwnChildren: true };
  const [seen] = (await bob.feed('user', 'author').get(asked)).results;
  assert.deepEqual(seen.reaction_counts, { comment: 1, like: 1 });
  assert.deepEqual(seen.own_reactions.like.map((one) => one.id), [like.id]);
  assert.equal(seen.latest_reactions.comment[0].data.text, 'edited');
  const detail = await ann.feed('user').getActivityDetail(activity.id, { withReactionCounts: true });
  assert.deepEqual(detail.results[0].reaction_counts, { comment: 1, like: 1 });

  const count = async (conditions) => (await bob.reactions.filter(conditions)).results.length;
  assert.equal(await count({ activity_id: activity.id, kind: 'like', limit: 1 }), 1);
  assert.equal(await count({ user_id: 'reader' }), 2);
  assert.equal(await count({ reaction_id: id, kind: 'like' }), 1);
  await bob.reactions.delete(like.id);
  await refused(bob.reactions.get(like.id), 404, 'DoesNotExistException');
  await server.reactions.delete(id, true);
  assert.ok((await bob.reactions.get(id)).deleted_at);
  assert.equal(await count({ user_id: 'reader' }), 0);
  await server.reactions.restore(id);
  assert.equal(await count({ user_id: 'reader' }), 1);
});

test('collections are kept, batched and shown in feeds', async () => {
  const cheese = await server.collections.add('food', 'cheese', { name: 'cheese' });
  assert.equal(cheese.ref(), 'SO:food:cheese');
  await refused(server.collections.add('food', 'cheese', { name: 'again' }), 409, 'ConflictException');
  await server.collections.update('food', 'cheese', { name: 'gouda' });
  const eaten = server.feed('user', 'eater');
  await eaten.addActivity({ actor: 'ann', verb: 'eat', object: cheese.ref() });
  assert.equal((await eaten.get({ enrich: true })).results[0].object.data.name, 'gouda');

  await server.collections.upsert('food', [{ id: 'a', name: 'apple' }, { id: 'b', name: 'bread' }]);
  await server.collections.upsertMany({ food: [{ id: 'c', name: 'coffee' }] });
  const selected = await server.collections.select('food', ['a', 'b', 'c']);
  assert.deepEqual(selected.response.data.map((item) => item.data.name).sort(), ['apple', 'bread', 'coffee']);
  await server.collections.deleteMany('food', ['a', 'b']);
  await server.collections.delete('food', 'cheese');
  await refused(server.collections.get('food', 'cheese'), 404, 'DoesNotExistException');

  const [owner, other] = [await signedIn('owner', {}), await signedIn('other')];
  const list = await owner.collections.add('lists', null, { name: 'shopping' });
  await refused(other.collections.update('lists', list.id, { name: 'hacked' }), 403, 'NotAllowedException');
});

test('files and images are uploaded, resized, served and deleted', async () => {
  const pixel = Buffer.from(PIXEL, 'base64');
  const { file } = await server.files.upload(pixel, 'pixel.png', 'image/png');
  const image = (await server.images.upload(pixel, 'pixel.png', 'image/png')).file;
  const small = await server.images.thumbnail(image, 10, 10, { crop: 'center', resize: 'clip' });
  assert.equal((await fetch(small.file)).status, 200);
  const scaled = await server.images.process(image, { w: 5, h: 5, crop: 'bottom', resize: 'scale' });
  assert.equal((await fetch(scaled.file)).status, 200);
  await server.images.delete(image);
  await server.files.delete(file);
  assert.equal((await fetch(image)).status, 404);
  const bob = await signedIn('painter');
  assert.ok((await bob.images.upload(pixel, 'own.png', 'image/png')).file);
});
