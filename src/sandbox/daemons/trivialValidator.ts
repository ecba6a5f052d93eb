import { daemonTool } from './daemon.js';
import { validatorKind } from './validation.js';

/** `sample_trivial_validator`: accepts every result. */
export const trivialValidator = daemonTool(
	validatorKind({}, () => ({ check: () => Promise.resolve('good'), agree: () => Promise.resolve(true) })),
);
