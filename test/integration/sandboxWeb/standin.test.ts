import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type BoincClient, startClient } from '../../../src/sandbox/client/boincClient.js';
import { numberOf, textOf } from '../../../src/sandbox/database.js';
import { installStandin, STANDIN_NAME } from '../../../src/sandbox/standin/installStandin.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { engineRun } from '../../support/images.js';
import { TestProject, until } from './testProject.js';

/** The image as a pack: a gzipped archive that the engine unpacks. */
const PACK = execFileSync('tar', ['-czf', '-', '-C', '/', 'bin/busybox'], { maxBuffer: 1 << 24 });
const DOCKERFILE = `FROM scratch
ADD pack_1.tar.gz /
ENV PATH=/bin
WORKDIR /boinc
ENTRYPOINT ["/bin/busybox", "sh", "/boinc/run.sh"]
`;
const SPEC = '<plan_classes><plan_class><name>docker</name><docker/></plan_class></plan_classes>';

describe('the stand-in for docker_wrapper under an unmodified client with Podman', () => {
	let engine: TestEngine;
	let project: TestProject;
	let client: BoincClient;
	let dir: string;
	let appId: number;

	beforeAll(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'b2d-standin-'));
		await build({
			entryPoints: ['src/sandbox/standin/main.ts'],
			bundle: true,
			platform: 'node',
			target: 'node20',
			format: 'cjs',
			outfile: path.join(dir, 'standin.js'),
			logLevel: 'silent',
		});
		await installStandin(path.join(dir, 'standin.js'), path.join(dir, STANDIN_NAME));
		engine = await startTestEngine('podman');
		project = await TestProject.create('<sandbox_assume_docker/>');
		await project.write('plan_class_spec.xml', SPEC);
		appId = await project.addApp('box', [{ name: STANDIN_NAME, content: await readFile(path.join(dir, STANDIN_NAME)) }], {
			planClass: 'docker',
			apiVersion: '8.3.0',
		});
		client = await startClient({
			dir: path.join(dir, 'client'),
			masterUrl: project.masterUrl,
			authenticator: project.authenticator,
			env: { ...engine.env, BOINC_SANDBOX_ENGINE: 'podman', BOINC_SANDBOX_STATUS_SECONDS: '2' },
		});
	});

	afterAll(async () => {
		await client.stop();
		await project.remove();
		await engine.remove();
		await rm(dir, { recursive: true, force: true });
	});

	const addJob = (name: string, script: string, toml = 'workdir = "/boinc"\n', commandLine = '') =>
		project.addJob(appId, name, {
			commandLine,
			disk: 1e8,
			inputs: [
				{ name: 'pack_1.tar.gz', content: PACK, sticky: true },
				{ name: 'dockerfile_1', content: DOCKERFILE, openName: 'Dockerfile' },
				{ name: `${name}.toml`, content: toml, openName: 'job.toml' },
				{ name: `${name}.sh`, content: script, openName: 'run.sh' },
			],
		});

	const reported = (job: string) =>
		until(
			`report of ${job}`,
			async () => {
				const row = await project.result(job);
				return numberOf(row, 'server_state') === 5 && row;
			},
			{ nudge: () => client.update() },
		);

	it('runs a container and forwards success, output and log', async () => {
		await addJob('Good', 'echo "arguments:$ARGS"; echo 0.5 > fraction_done; echo result > out\n', undefined, '--alpha 1');
		const row = await reported('Good');
		const stderr = textOf(row, 'stderr_out');
		expect(stderr).toContain('arguments: --alpha 1');
		expect(stderr).toContain('stand-in');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], stderr).toEqual([1, 0]);
		expect(await readFile(project.uploadPath('Good'), 'utf8')).toBe('result\n');
		const { stdout } = await engineRun(engine, ['ps', '--all', '--quiet']);
		expect(stdout.trim()).toBe('');
	});

	const containers = async (...filter: string[]) => {
		const { stdout } = await engineRun(engine, ['ps', '--all', '--format', '{{.Names}} {{.Status}}', ...filter]);
		return stdout.trim();
	};
	const slotOf = (job: string) =>
		until(`a slot of ${job}`, async () => {
			const task = (await client.tasks()).find((candidate) => candidate.wuName === job);
			return task && task.slot >= 0 && path.join(dir, 'client', 'slots', String(task.slot));
		});
	/** Waits until the container of the job counts; the file that ends it is `go`. */
	const WAIT = 'n=0; while [ ! -e go ]; do n=$((n+1)); echo $n > counter; sleep 1; done; cat counter > out\n';
	const counting = async (job: string) => {
		const slot = await until(`container of ${job}`, async () => (await containers()).includes(`__${job}_0 Up`) && slotOf(job), {
			nudge: () => client.update(),
		});
		await until('the counter', () => readFile(path.join(slot, 'counter'), 'utf8').then(Boolean, () => undefined));
		return slot;
	};

	it('forwards the exit code, keeps a named image and downloads the pack once', async () => {
		const toml = 'workdir = "/boinc"\nimage_name = "boinc__kept"\n';
		await addJob('exit7', 'echo to the log; exit 7\n', toml);
		const row = await reported('exit7');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], textOf(row, 'stderr_out')).toEqual([3, 7]);
		expect(textOf(row, 'stderr_out')).toContain('to the log');
		await addJob('again', 'echo fine > out\n', toml);
		const second = await reported('again');
		expect(textOf(second, 'stderr_out')).not.toContain('building image');
		expect(await containers()).toBe('');
		const packs = (await project.accessLog()).filter((line) => /"GET \S+\/pack_1\.tar\.gz /.test(line));
		expect(packs).toHaveLength(1);
	});

	it('fails with exit code 1 when the image cannot be built', async () => {
		await project.addJob(appId, 'nobuild', {
			inputs: [{ name: 'dockerfile_2', content: 'FROM scratch\nADD absent.tar /\n', openName: 'Dockerfile' }],
		});
		const row = await reported('nobuild');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')]).toEqual([3, 1]);
		expect(textOf(row, 'stderr_out')).toContain('build_image() failed');
	});

	it('pauses the container while the task is suspended, and over a restart of the client', async () => {
		await addJob('patient', WAIT);
		await counting('patient');
		await client.command('--task', project.masterUrl, 'patient_0', 'suspend');
		await until('pause', async () => (await containers()).includes('Paused'));
		await client.command('--task', project.masterUrl, 'patient_0', 'resume');
		await until('unpause', async () => !(await containers()).includes('Paused'));
		await client.stop();
		expect(await containers()).toContain('Paused');
		client = await client.restart();
		const slot = await counting('patient');
		await writeFile(path.join(slot, 'go'), '');
		const row = await reported('patient');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], textOf(row, 'stderr_out')).toEqual([1, 0]);
		expect(textOf(row, 'stderr_out')).toContain('container is paused; unpausing');
	});

	it('goes on after the client was killed', async () => {
		await addJob('orphan', WAIT);
		await counting('orphan');
		await client.kill();
		await until('pause', async () => (await containers()).includes('Paused'), { withinMs: 60_000 });
		client = await client.restart();
		const slot = await counting('orphan');
		await writeFile(path.join(slot, 'go'), '');
		const row = await reported('orphan');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], textOf(row, 'stderr_out')).toEqual([1, 0]);
	});

	it('removes the container of a cancelled job', async () => {
		await addJob('unwanted', WAIT);
		await counting('unwanted');
		await project.database.execute('UPDATE workunit SET error_mask = error_mask | 16 WHERE name = ?', ['unwanted']);
		const row = await reported('unwanted');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')]).toEqual([3, 202]);
		await until('the container to be gone', async () => (await containers()) === '');
	});
});
