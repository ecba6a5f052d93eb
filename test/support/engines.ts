import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type EngineKind, type SandboxEngine, startEngine } from '../../src/sandbox/engine.js';

export interface TestEngine extends SandboxEngine {
	/** A folder that goes with the engine. */
	readonly dir: string;
	/** Stops the engine and removes everything of it. */
	remove(): Promise<void>;
}

/** Starts an isolated engine in a temporary folder. */
export async function startTestEngine(kind: EngineKind): Promise<TestEngine> {
	const dir = await mkdtemp(join(tmpdir(), `b2d-${kind}-`));
	const engine = await startEngine({ dir, kind });
	return {
		...engine,
		dir,
		remove: async () => {
			await engine.stop();
			await rm(dir, { recursive: true, force: true });
		},
	};
}
