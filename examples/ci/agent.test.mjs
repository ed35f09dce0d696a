// Run by the GitHub action: finds the pod's model where OPENAI_BASE_URL says. Any SDK that reads that variable would do.
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: `Bearer ${OPENAI_API_KEY}`, 'content-type': 'application/json' };

async function ask(path, body) {
  const answer = await fetch(`${OPENAI_BASE_URL}${path}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

test('the model answers a question', async () => {
  const { data } = await ask('/models');
  const messages = [{ role: 'user', content: 'Say hello to the world in one short sentence.' }];
  const { choices } = await ask('/chat/completions', { model: data[0].id, messages, max_tokens: 24 });
  assert.notEqual(choices[0].message.content.trim(), '');
});
