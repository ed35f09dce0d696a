export { createLogger, temporalLogger } from './logger.js';
