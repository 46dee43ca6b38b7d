import type { Workflow } from '../model.ts';
import type { Diagram } from './diagram.ts';
import { statesDiagram } from './states-diagram.ts';
import { tasksDiagram } from './tasks-diagram.ts';

/** The steps of one workflow, with the types of the events it waits for and sends. */
export function workflowDiagram(workflow: Workflow): Diagram {
  return workflow.language === '0.8' ? statesDiagram(workflow) : tasksDiagram(workflow);
}
