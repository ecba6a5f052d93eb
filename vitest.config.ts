import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, mostly waiting for a volunteer's client; started last, one of them would run alone. */
const LONG = [
	'iso/sameJob',
	'iso/runs',
	'iso/refuses',
	'sandboxWeb/standin',
	'sandboxWeb/client',
	'image/fidelity',
	'project/install',
	'badInput/server',
	'sandbox/volunteer',
];

class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const rank = ({ moduleId }: TestSpecification): number => {
			const found = LONG.findIndex((name) => moduleId.endsWith(`/integration/${name}.test.ts`));
			return found === -1 ? LONG.length : found;
		};
		const sorted = await super.sort(files);
		return sorted.toSorted((a, b) => rank(a) - rank(b));
	}
}

export default defineConfig({
	plugins: [
		{
			// Scripts for the shell and Python, and SQL are part of the programs as text, as esbuild's `text` loader does it.
			name: 'text-files',
			transform: (code, id) =>
				/\.(sh|py|sql)$/.test(id) ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
		},
	],
	test: {
		projects: [
			{
				extends: true,
				// A process and a module graph for each file take longer than the tests.
				test: {
					name: 'unit',
					include: ['test/unit/**/*.test.ts'],
					testTimeout: 60_000,
					pool: 'threads',
					isolate: false,
					maxWorkers: 2,
				},
			},
			{
				extends: true,
				test: {
					name: 'integration',
					include: ['test/integration/**/*.test.ts'],
					exclude: ['test/integration/iso/**'],
					globalSetup: 'test/support/programOfRun.ts',
					testTimeout: 240_000,
					hookTimeout: 240_000,
					// They wait for daemons, engines and clients half of the time, and other steps run beside them.
					maxWorkers: 4,
					isolate: false,
					sequence: { sequencer: LongestFirst },
				},
			},
			{
				extends: true,
				// A machine without hardware support keeps a processor busy, so these are not among those that wait.
				test: {
					name: 'vm',
					include: ['test/integration/iso/**/*.test.ts'],
					globalSetup: 'test/support/programOfRun.ts',
					testTimeout: 400_000,
					hookTimeout: 400_000,
					maxWorkers: 2,
				},
			},
			{
				extends: true,
				// Minutes each, so not a part of `npm test`: npm run test:iso -- --all
				test: { name: 'long', include: ['test/long/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000, maxWorkers: 1 },
			},
		],
		coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/editor/**', 'src/extension.ts', 'src/webview/**'] },
	},
});
