import { tool, type DynamicStructuredTool } from 'langchain';
import { Agent, fetch, type Response } from 'undici';
import * as z from 'zod';
import { publicLookup } from './public-lookup.js';

const MAX_BYTES = 64 * 1024;
/** Of the text that a model gets: more would fill its context. */
const MAX_CHARACTERS = 16_000;
const MAX_REDIRECTS = 3;
const SECONDS = 15;
const TEXT = /^(text\/|application\/(json|xml|[\w.-]+\+(json|xml))\b)/i;

/**
 * Reads text by GET from the hosts of a list and from nowhere else, redirects included.
 * @param hosts as in a URL: `example.org`, `10.0.0.7:8080`
 * @throws Error that says why there is no text; the signal's reason
 */
export async function fetchText(address: string, hosts: readonly string[], signal: AbortSignal): Promise<string> {
  const dispatcher = new Agent({ connect: { lookup: publicLookup, timeout: SECONDS * 1000 } });
  const until = AbortSignal.any([signal, AbortSignal.timeout(SECONDS * 1000)]);
  try {
    let url = allowed(address, hosts);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const headers = { accept: 'text/*, application/json', 'user-agent': 'devloop' };
      const response = await fetch(url, { headers, redirect: 'manual', signal: until, dispatcher });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return await textOf(response);
      url = allowed(new URL(location, url).href, hosts);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  } catch (error) {
    signal.throwIfAborted();
    if (until.aborted) throw new Error(`no whole answer within ${SECONDS} s`, { cause: error });
    throw error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  } finally {
    await dispatcher.destroy();
  }
}

function allowed(address: string, hosts: readonly string[]): URL {
  if (!URL.canParse(address)) throw new Error('this is no address');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('only https and http addresses are read');
  if (url.username !== '' || url.password !== '') throw new Error('an address with a user is not read');
  if (!hosts.includes(url.host))
    throw new Error(`${url.host} is not one of the hosts that may be read: ${hosts.join(', ')}`);
  return url;
}

async function textOf(response: Response): Promise<string> {
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const type = response.headers.get('content-type') ?? 'none';
  if (!TEXT.test(type)) throw new Error(`this is not text (content type: ${type})`);
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (bytes > MAX_BYTES || text.length > MAX_CHARACTERS) return `${text.slice(0, MAX_CHARACTERS)}\n[cut here]`;
  }
  return text + decoder.decode();
}

/** @param hosts at least one */
export function fetchTool(hosts: readonly string[]): DynamicStructuredTool {
  return tool(
    async ({ url }: { url: string }, config) => {
      const { signal = new AbortController().signal } = config as { signal?: AbortSignal };
      try {
        return await fetchText(url, hosts, signal);
      } catch (error) {
        signal.throwIfAborted();
        return `error: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    {
      name: 'fetch_text',
      description: `Reads the text at an https or http address. Hosts that can be read: ${hosts.join(', ')}.`,
      schema: z.object({ url: z.string().max(2000) }),
    },
  );
}
