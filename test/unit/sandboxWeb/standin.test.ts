import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ClientChannel } from '../../../src/sandbox/standin/clientChannel.js';
import {
	buildCommand,
	type CommandParts,
	containerState,
	createCommand,
	jobState,
	listsImage,
	parseStats,
	shellText,
} from '../../../src/sandbox/standin/commands.js';
import { boincName, parseInitData } from '../../../src/sandbox/standin/initData.js';
import { installStandin } from '../../../src/sandbox/standin/installStandin.js';
import { defaultJobFile, parseJobFile, WrongType } from '../../../src/sandbox/standin/jobFile.js';

const parts: CommandParts = {
	engine: 'podman',
	job: defaultJobFile,
	slot: '.',
	projectDir: 'example.org_proj',
	image: 'boinc__example.org_proj__job',
	container: 'boinc__example.org_proj__job_0',
	dockerfile: 'Dockerfile',
	ncpus: 1,
	args: [],
	graphicsPort: 0,
};

describe('the job file of the stand-in', () => {
	it('has the defaults of docker_wrapper', () => {
		expect(parseJobFile('')).toEqual(defaultJobFile);
		expect(defaultJobFile.workdir).toBe('/app');
	});

	it('reads every key and ignores others', () => {
		const job = parseJobFile(
			'workdir = "/boinc"\nproject_dir_mount = "/p"\nimage_name = "boinc__x"\nbuild_args = "-q"\ncreate_args = "--shm-size=1g"\nuse_gpu = true\nmount = ["/a:/b"]\nportmap = ["1:2"]\nweb_graphics_guest_port = 80\nverbose = 2\nother = 1\n',
		);
		expect(job).toEqual({
			workdir: '/boinc',
			projectDirMount: '/p',
			imageName: 'boinc__x',
			buildArgs: '-q',
			createArgs: '--shm-size=1g',
			useGpu: true,
			mounts: ['/a:/b'],
			portmaps: ['1:2'],
			webGraphicsGuestPort: 80,
		});
	});

	it.each(['use_gpu = "yes"', 'workdir = 3', 'mount = "a"', 'portmap = [1]'])('dies of a wrong type: %s', (toml) => {
		expect(() => parseJobFile(toml)).toThrow(WrongType);
	});

	it('refuses what is not TOML', () => {
		expect(() => parseJobFile('workdir = /boinc')).toThrow();
		expect(() => parseJobFile('workdir = /boinc')).not.toThrow(WrongType);
	});
});

describe('commands of the stand-in', () => {
	it('have the shape of docker_wrapper’s', () => {
		expect(createCommand(parts)).toBe(
			'create --name boinc__example.org_proj__job_0  -v "./":"/app"  --log-driver=k8s-file boinc__example.org_proj__job',
		);
		expect(buildCommand(parts)).toBe('build "." --retry 0 -t boinc__example.org_proj__job -f Dockerfile ');
		expect(buildCommand({ ...parts, engine: 'docker' })).not.toContain('--retry');
	});

	it('carry arguments in ARGS, processors, mounts and the image as last word', () => {
		const job = {
			...defaultJobFile,
			projectDirMount: '/p',
			createArgs: '--memory=4g',
			mounts: ['/a:/b'],
			portmaps: ['1:2'],
			useGpu: true,
		};
		const command = createCommand({ ...parts, engine: 'docker', slot: '/slots/0', job, ncpus: 2, args: ['-x', 'y z'] });
		expect(command).toContain('-v "/slots/0/":"/app"  -v "/slots/0/../../projects/example.org_proj/":"/p"');
		expect(command).toContain(
			'-e ARGS=" -x y z" -v /a:/b -p 1:2 --cpus 2.000000 --gpus all --memory=4g boinc__example.org_proj__job',
		);
		expect(command).not.toContain('log-driver');
	});

	it('are cut at 1023 characters, so that a long one loses its image', () => {
		const text = shellText('podman', createCommand({ ...parts, args: ['a'.repeat(2000)] }));
		expect(text).toHaveLength(1023);
		expect(text).not.toContain(`${parts.image} `);
		expect(shellText('podman', 'ps')).toBe('podman ps 2>&1');
	});

	it('recognise an image by its name and a blank, never with a tag', () => {
		expect(listsImage(['localhost/boinc__x   latest  1\n'], 'boinc__x')).toBe(true);
		expect(listsImage(['repo/img   1  abc\n'], 'repo/img:1')).toBe(false);
	});

	it.each([
		[[], 'absent'],
		[['c|Created\n'], 'created'],
		[['c|Up 3 seconds (Paused)\n'], 'paused'],
		[['c|Up 3 seconds\n'], 'other'],
		[['c|Exited (0) 2 minutes ago\n'], 'exited'],
		[['c|running\n'], 'running'],
	])('read the state in %j', (lines, state) => {
		expect(containerState(lines, 'c')).toBe(state);
	});

	it('read how a container ended', () => {
		expect(jobState(['c  Exited (137) 1 second ago'], 'c')).toEqual({ kind: 'exited', code: 137 });
		expect(jobState(['c  Up 1 second'], 'c')).toEqual({ kind: 'running' });
		expect(jobState(['header'], 'c')).toEqual({ kind: 'gone' });
	});

	it('read the use of resources after warnings', () => {
		expect(parseStats(['warning\n', '97.50% 2MB / 503.8GiB\n'])).toEqual({ cpu: 0.975, memory: 2 * 1024 * 1024 });
		expect(parseStats(['0.00% 0B / 0B\n'])).toBeUndefined();
		expect(parseStats(['-- --\n'])).toBeUndefined();
	});
});

describe('what the stand-in learns from the client', () => {
	const init = (host: string) =>
		parseInitData(
			`<app_init_data>\n<wu_name>Job_1</wu_name><result_name>Job_1_0</result_name><project_dir>/var/lib/boinc/projects/Example.org_proj</project_dir><ncpus>2.0</ncpus><client_pid>12</client_pid><host_info>${host}</host_info></app_init_data>`,
		);

	it('names image and container in lower case', () => {
		expect(init('')).toMatchObject({ projectDir: 'Example.org_proj', ncpus: 2, clientPid: 12, engine: undefined });
		expect(boincName('Example.org_proj', 'Job_1')).toBe('boinc__example.org_proj__job_1');
	});

	it('uses the engine that the client found', () => {
		expect(init('<docker_version>24</docker_version><docker_type>1</docker_type>')?.engine).toBe('docker');
		expect(init('<docker_version>4.3</docker_version><docker_type>2</docker_type>')?.engine).toBe('podman');
		expect(parseInitData('')).toBeUndefined();
	});
});

describe('files of the stand-in', () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'b2d-standinunit-'));
	});
	afterEach(() => rm(dir, { recursive: true, force: true }));

	const message = async (file: string, channel: number, text: string): Promise<void> => {
		const bytes = await readFile(file);
		bytes.fill(0, channel * 1024, (channel + 1) * 1024);
		bytes[channel * 1024] = 1;
		bytes.write(text, channel * 1024 + 1, 'latin1');
		await writeFile(file, bytes);
	};

	it('takes messages of the client and frees their channel', async () => {
		const file = path.join(dir, 'boinc_mmap_file');
		await writeFile(file, Buffer.alloc(8192));
		const channel = new ClientChannel(process.pid, file);
		expect(channel.status).toMatchObject({ suspended: false, gotHeartbeat: false, noHeartbeat: false });
		await message(file, 0, '<suspend/>\n');
		await message(file, 4, '<heartbeat/>\n<network_suspended>1</network_suspended>\n');
		channel.poll();
		expect(channel.status).toMatchObject({ suspended: true, gotHeartbeat: true, networkSuspended: true });
		expect((await readFile(file))[0]).toBe(0);
		await message(file, 0, '<resume/>\n');
		channel.poll();
		await message(file, 0, '<abort/>\n');
		channel.poll();
		expect(channel.status).toMatchObject({ suspended: false, abort: true, quit: false });
		channel.close();
	});

	it('reports once the client has taken the last report', async () => {
		const file = path.join(dir, 'boinc_mmap_file');
		await writeFile(file, Buffer.alloc(8192));
		const channel = new ClientChannel(0, file);
		const status = { cpuTime: 12, fractionDone: 0.5, memory: 1e6, wantNetwork: false };
		expect(channel.report(status)).toBe(true);
		expect(channel.report(status)).toBe(false);
		const text = (await readFile(file)).toString('latin1', 5 * 1024);
		expect(text.charCodeAt(0)).toBe(1);
		expect(text).toContain('<current_cpu_time>1.200000e+1</current_cpu_time>\n');
		expect(text).toContain('<fraction_done>5.000000e-1</fraction_done>\n');
		channel.close();
	});

	it('notices that the client is gone', async () => {
		const child = spawn('true');
		await new Promise((resolve) => child.once('exit', resolve));
		expect(new ClientChannel(child.pid!, path.join(dir, 'none')).status.noHeartbeat).toBe(true);
		expect(new ClientChannel(process.pid, path.join(dir, 'none')).status).toMatchObject({
			noHeartbeat: false,
			gotHeartbeat: true,
		});
	});

	it('names interpreter and interface version in lines of their own', async () => {
		await writeFile(path.join(dir, 'bundle.js'), '#!/usr/bin/env node\nwork();\n');
		await installStandin(path.join(dir, 'bundle.js'), path.join(dir, 'program'), '/opt/node');
		expect(await readFile(path.join(dir, 'program'), 'utf8')).toBe('#!/opt/node\n// API_VERSION_8.3.0\nwork();\n');
	});
});
