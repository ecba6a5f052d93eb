import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { abortError } from '../../src/common/errors.js';
import type { CommandId } from '../../src/common/ids.js';
import { silentLog } from '../../src/common/ports.js';
import { type CommandHandler, CommandManager } from '../../src/editor/commandManager.js';

// Ids that the extension does not register itself.
const ID = 'boinc2docker.test.command' as CommandId;

suite('commands', () => {
	let manager: CommandManager<string>;
	let shown: unknown[];
	let retries: (() => void)[];

	setup(() => {
		shown = [];
		retries = [];
		manager = new CommandManager('the services', {
			log: silentLog,
			clock: () => 0,
			showError: (error, retry) => {
				shown.push(error);
				retries.push(retry);
			},
		});
	});
	teardown(() => manager.dispose());

	const register = (handler: CommandHandler<string>, singleFlight?: () => string): void =>
		manager.register(ID, () => Promise.resolve(handler), singleFlight ? { singleFlight } : {});

	test('pass the services and the arguments on', async () => {
		register((services, ...args) => Promise.resolve([services, ...args]));
		assert.deepEqual(await vscode.commands.executeCommand(ID, 1, 'two'), ['the services', 1, 'two']);
	});

	test('show an error, and run again when the person wants it', async () => {
		let runs = 0;
		register(() => {
			runs += 1;
			return runs === 1 ? Promise.reject(new Error('broken')) : Promise.resolve();
		});
		await vscode.commands.executeCommand(ID);
		assert.match(String(shown[0]), /broken/);
		retries[0]?.();
		await vscode.commands.executeCommand(ID);
		assert.equal(runs, 3);
		assert.equal(shown.length, 1);
	});

	test('say nothing about cancellation', async () => {
		register(() => Promise.reject(abortError()));
		await vscode.commands.executeCommand(ID);
		assert.deepEqual(shown, []);
	});

	test('join simultaneous runs with the same key', async () => {
		let runs = 0;
		let end: (() => void) | undefined;
		const ended = new Promise<void>((resolve) => (end = resolve));
		register(
			async () => {
				runs += 1;
				await ended;
			},
			() => 'same',
		);
		const both = [vscode.commands.executeCommand(ID), vscode.commands.executeCommand(ID)];
		end?.();
		await Promise.all(both);
		assert.equal(runs, 1);
		await vscode.commands.executeCommand(ID);
		assert.equal(runs, 2);
	});
});
