import { activityCancelScenarios, aloneScenarios } from './scenarios/alone.js';
import { endScenarios } from './scenarios/ends.js';
import { messageScenarios } from './scenarios/messages.js';
import { restartScenarios } from './scenarios/restarts.js';
import type { Scenario } from './side.js';

export const scenarios: readonly Scenario[] = [
  ...aloneScenarios,
  ...activityCancelScenarios,
  ...messageScenarios,
  ...endScenarios,
  ...restartScenarios,
];
