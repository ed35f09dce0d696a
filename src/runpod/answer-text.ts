/** The parsed body, or undefined when it is no JSON object. */
export function jsonObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function isHtml(body: string): boolean {
  return /^\s*(<!--|<!doctype html|<html|<head|<body|<title)/i.test(body);
}

function firstString(...candidates: unknown[]): string | undefined {
  return candidates.find((candidate): candidate is string => typeof candidate === 'string' && candidate !== '');
}

/**
 * The message in an error answer: `detail` and `errors` of REST v2's `ErrorResponse`, `error` or `message` of older
 * RunPod answers, Ollama and OpenAI-compatible servers; the visible text of an HTML page.
 */
export function answerText(body: string): string {
  const json = jsonObject(body);
  if (json !== undefined) {
    const nested = typeof json.error === 'object' && json.error !== null ? (json.error as Record<string, unknown>) : {};
    const main = firstString(json.detail, json.error, json.message, nested.message, json.title);
    const errors = Array.isArray(json.errors)
      ? json.errors.filter((entry): entry is string => typeof entry === 'string')
      : [];
    return cut([main, ...errors].filter((part) => part !== undefined).join('; ') || 'no message');
  }
  const text = isHtml(body)
    ? body
        .replace(/<(script|style)\b.*?<\/\1\s*>/gis, ' ')
        .replace(/<!--.*?-->/gs, ' ')
        .replace(/<[^>]*>/g, ' ')
    : body;
  return cut(text) || 'an answer without text';
}

function cut(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length > 300 ? `${flat.slice(0, 299)}…` : flat;
}

/** The text without any of the secrets, for an answer may quote what it was sent. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
}
