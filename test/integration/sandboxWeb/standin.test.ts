import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type BoincClient, startClient } from '../../../src/sandbox/client/boincClient.js';
import { numberOf, type Row, textOf } from '../../../src/sandbox/database.js';
import type { EngineKind } from '../../../src/sandbox/engine.js';
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

/** A project with a container app, and a host with an engine of its own. */
class Volunteer {
	client!: BoincClient;

	private constructor(
		readonly dir: string,
		readonly engine: TestEngine,
		readonly project: TestProject,
		readonly appId: number,
	) {}

	static async start(kind: EngineKind): Promise<Volunteer> {
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-standin-'));
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
		const engine = await startTestEngine(kind);
		const project = await TestProject.create('<sandbox_assume_docker/>');
		await project.write('plan_class_spec.xml', SPEC);
		const program = { name: STANDIN_NAME, content: await readFile(path.join(dir, STANDIN_NAME)) };
		const appId = await project.addApp('box', [program], { planClass: 'docker', apiVersion: '8.3.0' });
		const volunteer = new Volunteer(dir, engine, project, appId);
		volunteer.client = await startClient({
			dir: path.join(dir, 'client'),
			masterUrl: project.masterUrl,
			authenticator: project.authenticator,
			env: { ...engine.env, BOINC_SANDBOX_ENGINE: kind, BOINC_SANDBOX_STATUS_SECONDS: '2' },
		});
		return volunteer;
	}

	async remove(): Promise<void> {
		await this.client.stop();
		await this.project.remove();
		await this.engine.remove();
		await rm(this.dir, { recursive: true, force: true });
	}

	addJob(name: string, script: string, toml = 'workdir = "/boinc"\n', commandLine = ''): Promise<void> {
		return this.project.addJob(this.appId, name, {
			commandLine,
			disk: 1e8,
			inputs: [
				{ name: 'pack_1.tar.gz', content: PACK, sticky: true },
				{ name: 'dockerfile_1', content: DOCKERFILE, openName: 'Dockerfile' },
				{ name: `${name}.toml`, content: toml, openName: 'job.toml' },
				{ name: `${name}.sh`, content: script, openName: 'run.sh' },
			],
		});
	}

	reported(job: string): Promise<Row> {
		return until(
			`report of ${job}`,
			async () => {
				const row = await this.project.result(job);
				return numberOf(row, 'server_state') === 5 && row;
			},
			{ nudge: () => this.client.update() },
		);
	}

	/** Names and states of the engine's containers. */
	async containers(): Promise<string> {
		const { stdout } = await engineRun(this.engine, ['ps', '--all', '--format', '{{.Names}} {{.Status}}']);
		return stdout.trim();
	}

	/** Waits until the job's container counts; returns the slot. A file `go` there ends it. */
	async counting(job: string): Promise<string> {
		const slot = await until(
			`container of ${job}`,
			async () => {
				const task = (await this.client.tasks()).find((candidate) => candidate.wuName === job);
				const up = (await this.containers()).includes(`__${job}_0 Up`);
				return up && task && task.slot >= 0 && path.join(this.dir, 'client', 'slots', String(task.slot));
			},
			{ nudge: () => this.client.update() },
		);
		await until('the counter', () => readFile(path.join(slot, 'counter'), 'utf8').then(Boolean, () => undefined));
		return slot;
	}
}

const KEPT = 'workdir = "/boinc"\nimage_name = "boinc__kept"\n';
/** Counts until the file `go` appears. */
const WAIT = 'n=0; while [ ! -e go ]; do n=$((n+1)); echo $n > counter; sleep 1; done; cat counter > out\n';

describe.each(['podman', 'docker'] as const)('the stand-in for docker_wrapper with %s', (kind) => {
	let volunteer: Volunteer;
	beforeAll(async () => {
		volunteer = await Volunteer.start(kind);
	});
	afterAll(() => volunteer.remove());

	it('runs a container and forwards success, output and log', async () => {
		await volunteer.addJob(
			'Good',
			'echo "arguments:$ARGS"; echo 0.5 > fraction_done; echo result > out\n',
			undefined,
			'--alpha 1',
		);
		const row = await volunteer.reported('Good');
		const stderr = textOf(row, 'stderr_out');
		expect(stderr).toContain('arguments: --alpha 1');
		expect(stderr).toContain('stand-in');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], stderr).toEqual([1, 0]);
		expect(await readFile(volunteer.project.uploadPath('Good'), 'utf8')).toBe('result\n');
		expect(await volunteer.containers()).toBe('');
	});
});

describe('the stand-in for docker_wrapper under an unmodified client', () => {
	let volunteer: Volunteer;
	beforeAll(async () => {
		volunteer = await Volunteer.start('podman');
		// Jobs of several tests go out together: a client's round trips take seconds each.
		await volunteer.addJob('exit7', 'echo to the log; exit 7\n', KEPT);
		await volunteer.project.addJob(volunteer.appId, 'nobuild', {
			inputs: [{ name: 'dockerfile_2', content: 'FROM scratch\nADD absent.tar /\n', openName: 'Dockerfile' }],
		});
	});
	afterAll(() => volunteer.remove());

	it('forwards the exit code, keeps a named image and downloads the pack once', async () => {
		const row = await volunteer.reported('exit7');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], textOf(row, 'stderr_out')).toEqual([3, 7]);
		expect(textOf(row, 'stderr_out')).toContain('to the log');
		await volunteer.addJob('again', 'echo fine > out\n', KEPT);
		const second = await volunteer.reported('again');
		expect(textOf(second, 'stderr_out')).not.toContain('building image');
		expect(await volunteer.containers()).toBe('');
		const packs = (await volunteer.project.accessLog()).filter((line) => /"GET \S+\/pack_1\.tar\.gz /.test(line));
		expect(packs).toHaveLength(1);
	});

	it('fails with exit code 1 when the image cannot be built', async () => {
		const row = await volunteer.reported('nobuild');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')]).toEqual([3, 1]);
		expect(textOf(row, 'stderr_out')).toContain('build_image() failed');
	});

	it('pauses the container while the task is suspended, over a restart of the client and after its crash', async () => {
		await volunteer.addJob('patient', WAIT);
		await volunteer.addJob('unwanted', WAIT);
		const paused = async (): Promise<boolean> => /__patient_0 .*Paused/.test(await volunteer.containers());
		await volunteer.counting('patient');
		await volunteer.client.command('--task', volunteer.project.masterUrl, 'patient_0', 'suspend');
		await until('pause', paused);
		await volunteer.client.command('--task', volunteer.project.masterUrl, 'patient_0', 'resume');
		await until('unpause', async () => !(await paused()));
		await volunteer.client.stop();
		expect(await paused()).toBe(true);
		volunteer.client = await volunteer.client.restart();
		await volunteer.counting('patient');
		await volunteer.client.kill();
		await until('pause', paused, { withinMs: 60_000 });
		volunteer.client = await volunteer.client.restart();
		const slot = await volunteer.counting('patient');
		await writeFile(path.join(slot, 'go'), '');
		const row = await volunteer.reported('patient');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')], textOf(row, 'stderr_out')).toEqual([1, 0]);
		expect(textOf(row, 'stderr_out').match(/container is paused; unpausing/g)).toHaveLength(2);
	});

	it('removes the container of a cancelled job', async () => {
		await volunteer.counting('unwanted');
		await volunteer.project.database.execute('UPDATE workunit SET error_mask = error_mask | 16 WHERE name = ?', ['unwanted']);
		const row = await volunteer.reported('unwanted');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')]).toEqual([3, 202]);
		await until('the container to be gone', async () => (await volunteer.containers()) === '');
	});
});
