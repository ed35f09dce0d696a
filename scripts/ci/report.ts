/** Writes what became of a session into the summary and the outputs of a GitHub step. */
import { appendFileSync, readFileSync } from 'node:fs';
import { reapedSummary, stoppedSummary } from './summary.js';

const [kind, documentFile = '', summaryFile = '', outputFile = ''] = process.argv.slice(2);
const text = readFileSync(documentFile, 'utf8');
if (text.trim() === '') throw new Error(`devloop printed no document: it was killed (${documentFile} is empty)`);
const document: unknown = JSON.parse(text);
const { markdown, outputs } = kind === 'stopped' ? stoppedSummary(document) : reapedSummary(document, Date.now());
const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`);
appendFileSync(summaryFile, markdown);
appendFileSync(outputFile, lines.join(''));
