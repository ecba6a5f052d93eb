import { defineConfig } from 'vitest/config';

export default defineConfig({
	plugins: [
		{
			// Shell scripts and SQL are part of the programs as text, as esbuild's `text` loader does it.
			name: 'text-files',
			transform: (code, id) =>
				/\.(sh|sql)$/.test(id) ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
		},
	],
	test: {
		projects: [
			{ extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
			{
				extends: true,
				test: {
					name: 'integration',
					include: ['test/integration/**/*.test.ts'],
					testTimeout: 240_000,
					hookTimeout: 240_000,
					// Real daemons and engines: two at a time is what two cores bear.
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
