import { endScenes } from './ending.js';
import { holdScenes } from './holding.js';
import { rentScenes } from './renting.js';
import type { Scene } from './scene.js';
import { turnScenes } from './turns.js';
import { twinScenes } from './twins.js';

export const scenes: readonly Scene[] = [...rentScenes, ...twinScenes, ...turnScenes, ...endScenes, ...holdScenes];
