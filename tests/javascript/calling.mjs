// The official client, as a site's server and as one of its users, and what the scenarios ask of it.

import assert from 'node:assert/strict';
import stream from 'getstream';

const { STREAM_URL: url, STREAM_KEY: key, STREAM_SECRET: secret } = process.env;
const options = { urlOverride: { api: `${url}/api/` } };

export const server = stream.connect(key, secret, '1', options);

export function withToken(token) {
  return stream.connect(key, token, '1', options);
}

export function withSecret(wrong) {
  return stream.connect(key, wrong, '1', options);
}

/** One of the site's users, in a browser for example; known to the API once a profile is given. */
export async function signedIn(userId, profile) {
  const client = withToken(server.createUserToken(userId));
  if (profile) await client.setUser(profile);
  return client;
}

export async function refused(call, status, exception) {
  const error = await call.then(
    () => assert.fail('the call was not refused'),
    (reason) => reason,
  );
  assert.ok(error.response, `${error}`);
  assert.deepEqual([error.response.status, error.error.exception], [status, exception]);
}

export async function objectsOf(feed, query) {
  return (await feed.get(query)).results.map((activity) => activity.object);
}
