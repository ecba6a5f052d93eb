import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { BoincError } from '../../src/common/errors.js';
import { quietContext, silentLog } from '../../src/common/ports.js';
import { installApp } from '../../src/editor/commands/app/install.js';
import { undoInstallation } from '../../src/editor/commands/app/undoInstall.js';
import type { Services } from '../../src/editor/services.js';
import { parseAppFile } from '../../src/project/appFile.js';
import type { InstallSpec } from '../../src/project/install/spec.js';
import * as choices from '../../src/project/installChoices.js';

const BACKUP = '2026-11-23T10-15-00Z-mysci';
const model = {
	server: { id: 'a', name: 'Test Project', target: 'local:/p' },
	project: () => Promise.resolve({}),
	refresh: () => Promise.resolve(),
};

suite('installing an app', () => {
	const { createQuickPick, showOpenDialog, showInformationMessage, showWarningMessage } = vscode.window;
	let dir: string;
	let file: vscode.Uri;
	let asked: string[];
	let specs: InstallSpec[];
	let sources: unknown[];
	let undone: string[];

	/** A list in which the person takes the first choice. */
	function firstChoice(): unknown {
		let accept = (): void => undefined;
		const nothing = new vscode.Disposable(() => undefined);
		const pick = {
			title: '',
			items: [] as readonly vscode.QuickPickItem[],
			selectedItems: [] as readonly vscode.QuickPickItem[],
			onDidAccept: (listener: () => void) => {
				accept = listener;
				return nothing;
			},
			onDidHide: () => nothing,
			onDidTriggerButton: () => nothing,
			show: () => {
				asked.push(pick.items[0]?.label ?? '');
				pick.selectedItems = pick.items.slice(0, 1);
				queueMicrotask(accept);
			},
			dispose: () => undefined,
		};
		return pick;
	}

	/** The commands with a project that plans what it is told, and has this key on the server. */
	function servicesWith(key: 'present' | 'absent'): Services {
		const services = {
			log: silentLog,
			pinFile: path.join(dir, 'pins.json'),
			builtIso: path.join(dir, 'boinc2docker.iso'),
			models: { all: () => [model], get: (id: string) => (id === model.server.id ? model : undefined) },
			documents: { openText: () => Promise.resolve(file), close: () => Promise.resolve() },
			operation: (_title: string, task: (ctx: unknown) => unknown) => task(quietContext()),
			core: () =>
				Promise.resolve({
					...choices,
					parseAppFile,
					runnerScript: '',
					contentOfBytes: () => undefined,
					programsFor: (from: unknown) => {
						sources.push(from);
						return Promise.resolve({ wrappers: [], busybox: [], notes: [] });
					},
					planInstall: (_project: unknown, spec: InstallSpec) => {
						specs.push(spec);
						return key === 'absent' && spec.signingKey === undefined
							? Promise.reject(new BoincError('install-failed', 'There is no key.', { detail: { key } }))
							: Promise.resolve({ isEmpty: false, steps: [{ title: 'x', detail: '' }], warnings: [] });
					},
					applyInstall: () => Promise.resolve({ backupId: BACKUP, notes: [] }),
					undoEffects: () => Promise.resolve(['3 jobs of “mysci” are not over.']),
					listInstallations: () =>
						Promise.resolve([
							{ id: 'later-mysci', app: 'mysci', state: 'undone', files: [], versions: 1 },
							{ id: BACKUP, app: 'mysci', state: 'applied', files: ['config.xml'], versions: 1 },
						]),
					undoInstall: (_project: unknown, id: string) => {
						undone.push(id);
						return Promise.resolve({ app: 'mysci', remains: ['Something remains.'] });
					},
				}),
		};
		return services as unknown as Services;
	}

	setup(async () => {
		dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-install-'));
		[asked, specs, sources, undone] = [[], [], [], []];
		file = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'boinc2docker.yml');
		await vscode.workspace.fs.writeFile(
			file,
			Buffer.from(
				'appname: mysci\nresultsdir: /results\nwrapper: ./wrappers\nvalidator: bitwise\nassimilator: { script: keep }\n',
			),
		);
		Object.assign(vscode.window, {
			createQuickPick: firstChoice,
			showInformationMessage: (text: string, ...buttons: string[]) => {
				asked.push([text, ...buttons].join(' | '));
				return Promise.resolve(undefined);
			},
		});
	});
	teardown(async () => {
		Object.assign(vscode.window, { createQuickPick, showOpenDialog, showInformationMessage, showWarningMessage });
		await vscode.workspace.fs.delete(file);
		await rm(dir, { recursive: true });
	});

	test('follows the boinc2docker.yml of the workspace, and offers the way back', async () => {
		await installApp(servicesWith('present'));
		assert.deepEqual(asked, [
			'$(file-code) As boinc2docker.yml Says',
			'$(cloud-upload) Install “mysci” on Test Project',
			'“mysci” is installed on Test Project and its daemons run. | Undo',
		]);
		const [spec] = specs;
		assert.deepEqual(
			[spec?.app, spec?.resultsDir, spec?.validator, spec?.assimilator, spec?.signingKey],
			['mysci', '/results', 'bitwise', { script: 'keep' }, undefined],
		);
		const folder = path.join(path.dirname(file.fsPath), 'wrappers');
		assert.deepEqual(sources, [{ docker: { folder } }]);
	});

	test('says in which line the file is wrong', async () => {
		await vscode.workspace.fs.writeFile(file, Buffer.from('appname: mysci\nvalidator: strict\n'));
		await assert.rejects(installApp(servicesWith('present')), {
			code: 'config-invalid',
			detail: { file: 'boinc2docker.yml', line: 2 },
		});
	});

	test('asks for the key that the server lacks, and signs here', async () => {
		const key = path.join(dir, 'code_sign_private');
		await writeFile(key, 'the key');
		Object.assign(vscode.window, { showOpenDialog: () => Promise.resolve([vscode.Uri.file(key)]) });
		await installApp(servicesWith('absent'));
		assert.deepEqual(
			specs.map(({ signingKey }) => signingKey),
			[undefined, 'the key'],
		);
		assert.equal(asked[1], '$(key) Sign on This Computer…');
	});

	test('is taken back after a question that tells of jobs, also when the notification about it is gone', async () => {
		const installation = { serverId: 'a', backupId: BACKUP, app: 'mysci' };
		const answers = [undefined, 'Take Back', 'Take Back'];
		const details: unknown[] = [];
		Object.assign(vscode.window, {
			showWarningMessage: (_question: string, { detail }: vscode.MessageOptions) => {
				details.push(detail);
				return Promise.resolve(answers.shift());
			},
		});
		await assert.rejects(undoInstallation(servicesWith('present'), installation), { name: 'AbortError' });
		assert.deepEqual(undone, []);
		await undoInstallation(servicesWith('present'), installation);
		assert.deepEqual(undone, [BACKUP]);
		assert.equal(asked.at(-1), 'The installation of “mysci” on Test Project was taken back. Something remains.');
		assert.equal(details[1], 'Files are as before then. 3 jobs of “mysci” are not over.');
		await undoInstallation(servicesWith('present'));
		assert.deepEqual(undone, [BACKUP, BACKUP]);
	});
});
