export * from './errors.js';
export * from './job.js';
export * from './lease.js';
export * from './names.js';
export * from './parse.js';
export * from './pod-name.js';
export * from './session.js';
export * from './text.js';
