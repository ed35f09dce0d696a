/** Writes `schemas/`: every message of the wire contract as JSON Schema. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaOf, MESSAGES, type MessageName } from '../src/contract/json-schemas.js';

// Compiled to dist/scripts.
const folder = join(import.meta.dirname, '..', '..', 'schemas');
mkdirSync(folder, { recursive: true });
for (const name of Object.keys(MESSAGES) as MessageName[])
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(jsonSchemaOf(name), undefined, 2)}\n`);
