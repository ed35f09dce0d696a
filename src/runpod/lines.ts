import { StringDecoder } from 'node:string_decoder';

/** A line longer than this is no log line and no JSON message of ours: it is handed on cut at this length. */
const maxLineCharacters = 1_000_000;

/** Splits a byte stream into lines, without their ends; a last line without an end counts too. */
export async function* readLines(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.write(chunk);
    const lines = rest.split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(0, maxLineCharacters);
    yield* lines;
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
