// Feeds, follows and activities, by a site's server.

import assert from 'node:assert/strict';
import test from 'node:test';
import { objectsOf, refused, server, withSecret, withToken } from './calling.mjs';

const post = (object, more) => ({ actor: 'ann', verb: 'post', object, ...more });

test('activities are added, read and removed', async () => {
  const feed = server.feed('user', 'ann');
  const extra = { participants: ['Thierry', 'Tommaso'], route: { name: 'Vondelpark' }, 'unï': '☃', nothing: null };
  const time = '2020-01-01T10:00:00.123456';
  const made = await feed.addActivity(post('post:1', { foreign_id: 'post:1', time, ...extra }));
  assert.equal(made.time, time);
  const [found] = (await feed.get({ limit: 5 })).results;
  assert.equal(found.id, made.id);
  for (const name of Object.keys(extra)) assert.deepEqual(found[name], extra[name]);
  assert.equal((await feed.removeActivity(made.id)).removed, made.id);
  await feed.addActivities(['1', '2', '3'].map((object) => post(object, { foreign_id: `many:${object}` })));
  await feed.removeActivity({ foreignId: 'many:2' });
  assert.deepEqual((await objectsOf(feed)).sort(), ['1', '3']);
});

test('pages follow each other', async () => {
  const feed = server.feed('flat', 'pages');
  const activities = Array.from({ length: 30 }, (_, n) => {
    return post(`${n}`, { foreign_id: `page:${n}`, time: `2021-01-01T00:00:${String(n).padStart(2, '0')}` });
  });
  await feed.addActivities(activities);
  const first = await feed.get({ limit: 10 });
  assert.match(first.next, /id_lt/);
  const older = { limit: 10, id_lt: first.results[9].id };
  assert.equal((await objectsOf(feed, older))[0], '19');
  assert.deepEqual(await objectsOf(feed, { limit: 2, offset: 20 }), ['9', '8']);
  const newer = { limit: 25, id_gte: first.results[9].id };
  assert.equal((await objectsOf(feed, newer)).at(-1), '20');
});

test('a timeline follows, and what is unfollowed goes unless it is kept', async () => {
  const [timeline, followed] = [server.feed('timeline', 'bob'), server.feed('user', 'cat')];
  await followed.addActivity(post('seen'));
  await timeline.follow('user', 'cat', { limit: 10 });
  assert.deepEqual(await objectsOf(timeline), ['seen']);
  const [following] = (await timeline.following({ filter: ['user:cat'] })).results;
  assert.equal(following.target_id, 'user:cat');
  const [follower] = (await followed.followers({ limit: 10, offset: 0 })).results;
  assert.equal(follower.feed_id, 'timeline:bob');
  const { results } = await timeline.followStats({ followerSlugs: ['user'], followingSlugs: ['user'] });
  assert.deepEqual([results.followers.count, results.following.count], [0, 1]);
  await timeline.unfollow('user', 'cat', { keepHistory: true });
  assert.deepEqual(await objectsOf(timeline), ['seen']);
  await timeline.follow('user', 'cat');
  await timeline.unfollow('user', 'cat');
  assert.deepEqual(await objectsOf(timeline), []);
});

test('many feeds are written and followed at once', async () => {
  await server.addToMany(post('everywhere'), ['user:many', 'flat:many']);
  assert.deepEqual(await objectsOf(server.feed('flat', 'many')), ['everywhere']);
  const timeline = server.feed('timeline', 'many');
  const targets = ['user:many', 'user:few'].map((target) => ({ source: 'timeline:many', target }));
  await server.followMany(targets, 5);
  await server.feed('user', 'many').addActivity(post('later'));
  assert.deepEqual(await objectsOf(timeline), ['later']);
  await server.unfollowMany(targets);
  assert.deepEqual(await objectsOf(timeline), []);
});

test('targets change', async () => {
  const feed = server.feed('user', 'targets');
  const time = '2021-01-01T00:00:00';
  const change = (...targets) => feed.updateActivityToTargets('targets:1', time, ...targets);
  await feed.addActivity(post('1', { foreign_id: 'targets:1', time, to: ['flat:a'] }));
  assert.deepEqual((await change(['flat:b'])).added, ['flat:b']);
  assert.deepEqual((await change(undefined, ['flat:c'], ['flat:b'])).removed, ['flat:b']);
  assert.deepEqual(await objectsOf(server.feed('flat', 'b')), []);
  assert.deepEqual(await objectsOf(server.feed('flat', 'c')), ['1']);
});

test('notifications are grouped, counted and marked', async () => {
  const feed = server.feed('notification', 'ann');
  await feed.addActivity(post('1'));
  await feed.addActivity({ ...post('2'), verb: 'like' });
  const before = await feed.get({ limit: 2 });
  assert.deepEqual([before.unseen, before.unread], [2, 2]);
  await feed.get({ mark_seen: true, mark_read: [before.results[0].id] });
  const after = await feed.get();
  assert.deepEqual([after.unseen, after.unread], [0, 1]);
  assert.deepEqual(after.results.map((group) => group.is_read), [true, false]);
});

test('activities are found and changed', async () => {
  const feed = server.feed('user', 'changes');
  const made = await feed.addActivity(post('1', { foreign_id: 'changes:1', shares: { a: 1, b: 2 }, gone: true }));
  await server.updateActivities([{ ...made, popularity: 100 }]);
  const [byId] = (await server.getActivities({ ids: [made.id] })).results;
  assert.equal(byId.popularity, 100);
  await server.updateActivity({ ...made, popularity: 200 });
  const identity = { foreignID: 'changes:1', time: made.time };
  const [byForeignId] = (await server.getActivities({ foreignIDTimes: [identity] })).results;
  assert.equal(byForeignId.popularity, 200);
  const partly = { id: made.id, set: { 'shares.a': 9, color: 'blue' }, unset: ['popularity', 'shares.b', 'gone'] };
  const changed = await server.activityPartialUpdate(partly);
  assert.deepEqual([changed.shares, changed.color, 'gone' in changed], [{ a: 9 }, 'blue', false]);
  const again = { foreign_id: 'changes:1', time: made.time, set: { color: 'red' } };
  assert.equal((await server.activitiesPartialUpdate([again])).activities[0].color, 'red');
});

test('errors carry the names that the client knows', async () => {
  await refused(server.feed('user', 'errors').addActivity({ actor: 'ann', verb: 'post' }), 400, 'InputException');
  await refused(server.feed('unknown', 'errors').get(), 400, 'FeedConfigException');
  await refused(withSecret('x'.repeat(60)).feed('user', 'errors').get(), 403, 'NotAllowedException');
  await refused(server.og('http://127.0.0.1/'), 400, 'InputException');
});

test('a token opens one feed, to read or to write', async () => {
  const feed = (token) => withToken(null).feed('user', 'tokens', token);
  const reader = feed(server.getReadOnlyToken('user', 'tokens'));
  await refused(reader.addActivity(post('1')), 403, 'NotAllowedException');
  await feed(server.getReadWriteToken('user', 'tokens')).addActivity(post('1'));
  assert.deepEqual(await objectsOf(reader), ['1']);
});

test('an operator flags, looks back, exports and deletes', async () => {
  await server.feed('user', 'privacy').addActivity({ ...post('1'), actor: 'SU:privacy' });
  await server.user('privacy').flag({ reason: 'spam', user_id: 'ann' });
  const logs = await server.auditLogs.filter({ entity_type: 'user', entity_id: 'privacy', limit: 3 });
  assert.ok(Array.isArray(logs.audit_logs));
  const { export: ids } = await server.exportUserActivitiesAndReactionIDs('privacy');
  assert.equal(ids.activity_ids.length, 1);
  await server.deleteActivities(ids.activity_ids.map((id) => ({ id, remove_from_feeds: ['user:privacy'] })));
  assert.deepEqual(await objectsOf(server.feed('user', 'privacy')), []);
});
