import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { COMMANDS, CONTEXT_KEYS, SETTINGS, VIEW_CONTAINER, VIEWS } from '../../../src/common/ids.js';

const root = path.resolve(import.meta.dirname, '../../..');
const text = (name: string): string => readFileSync(path.join(root, name), 'utf8');

interface MenuItem {
	readonly command: string;
	readonly when?: string;
}
interface Manifest {
	readonly activationEvents: readonly string[];
	readonly capabilities: {
		readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations: readonly string[] };
		readonly virtualWorkspaces: { readonly supported: boolean; readonly description: string };
	};
	readonly contributes: {
		readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
		readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
		readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
		readonly viewsWelcome: readonly { readonly contents: string; readonly when: string }[];
		readonly keybindings: readonly { readonly command: string; readonly when: string }[];
		readonly configuration: {
			readonly properties: Readonly<Record<string, { readonly scope?: string; readonly markdownDescription: string }>>;
		};
	};
}
const manifest = JSON.parse(text('package.json')) as Manifest;
const strings = JSON.parse(text('package.nls.json')) as Readonly<Record<string, string>>;
const { contributes } = manifest;
const source = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.ts'))
	.map((name) => text(`src/${name}`));

describe('the manifest', () => {
	it('has exactly the commands of the code, in its order', () => {
		expect(contributes.commands.map(({ command }) => command)).toEqual([...COMMANDS]);
	});

	it('has exactly the views and settings of the code', () => {
		expect(contributes.views[VIEW_CONTAINER]?.map(({ id }) => id)).toEqual([...VIEWS]);
		expect(Object.keys(contributes.configuration.properties)).toEqual([...SETTINGS]);
	});

	it.each(SETTINGS)('%s is read by the code, explained, and has a scope', (id) => {
		expect(source.some((file) => file.includes(`read('${id}'`))).toBe(true);
		expect(contributes.configuration.properties[id]).toMatchObject({
			scope: expect.stringMatching(/^(machine|application|resource)$/),
		});
		expect(contributes.configuration.properties[id]?.markdownDescription).toMatch(/^%.+%$/);
	});

	it('names only commands that exist in menus, keys and invitations', () => {
		const named = [
			...Object.values(contributes.menus).flatMap((items) => items.map(({ command }) => command)),
			...contributes.keybindings.map(({ command }) => command),
			...[...JSON.stringify(strings).matchAll(/command:([\w.]+)/g)].map(([, id]) => id),
		];
		const vscodes = ['vscode.openFolder', 'workbench.trust.manage'];
		expect(named.filter((id) => ![...COMMANDS, ...vscodes].some((known) => known === id))).toEqual([]);
	});

	it('uses every text of package.nls.json, and has every text that it uses', () => {
		const used = new Set([...text('package.json').matchAll(/%([\w.]+)%/g)].map(([, key]) => key));
		expect([...used].sort()).toEqual(Object.keys(strings).sort());
	});

	it('puts every title into the category BOINC and in Title Case', () => {
		for (const { title, category } of contributes.commands) {
			expect(category).toBe('%category%');
			for (const word of (strings[title.slice(1, -1)] ?? '').split(' ')) {
				expect(word).toMatch(/^([A-Z]|as$|of$|and$|or$|to$|an$)/);
			}
		}
	});

	it('says in item menus which view and which rows they are for', () => {
		for (const { when } of contributes.menus['view/item/context'] ?? []) {
			expect(when).toMatch(/^view == boinc2docker\.views\.jobs && viewItem =~ \/\^boinc2docker/);
		}
	});

	it.each([
		['Dockerfile', true],
		['dockerfile', true],
		['Containerfile', true],
		['Dockerfile.dev', true],
		['worker.Dockerfile', true],
		['Containerfile.prod', true],
		['README.md', false],
		['Dockerfiles', false],
		['myDockerfile', false],
		['docker-compose.yml', false],
	])('offers to submit %s: %s', (name, offered) => {
		for (const menu of ['explorer/context', 'editor/context']) {
			const item = contributes.menus[menu]?.find(({ command }) => command === 'boinc2docker.job.submit');
			const pattern = /resourceFilename =~ \/(.*)\/i$/.exec(item?.when ?? '')?.[1];
			expect(new RegExp(pattern ?? '^never$', 'i').test(name)).toBe(offered);
		}
	});

	it('starts nothing at the start of VS Code', () => {
		// Only for a tab of ours that was open, or where a folder holds our own file.
		expect(manifest.activationEvents).toEqual([
			'onFileSystem:boinc2docker',
			'onWebviewPanel:boinc2docker.panels.batch',
			'workspaceContains:**/boinc2docker.{yml,yaml}',
		]);
	});

	it('lets no workspace choose a program or a folder before it is trusted', () => {
		const { untrustedWorkspaces, virtualWorkspaces } = manifest.capabilities;
		expect(untrustedWorkspaces.supported).toBe('limited');
		expect(untrustedWorkspaces.restrictedConfigurations).toContain('boinc2docker.engine.command');
		expect(contributes.configuration.properties['boinc2docker.engine.command']?.scope).toBe('machine');
		expect(virtualWorkspaces.supported).toBe(false);
	});

	it('sets the context keys that it tests, and only by the one place', () => {
		for (const key of CONTEXT_KEYS) {
			expect(text('package.json')).toContain(key);
		}
		expect(source.filter((file) => file.includes(`'setContext'`))).toHaveLength(1);
		expect(source.filter((file) => file.includes('registerCommand('))).toHaveLength(1);
	});

	it('has an invitation for each state of the empty view', () => {
		const states = contributes.viewsWelcome.map(({ when }) => / == (\w+)/.exec(when)?.[1]);
		expect([...new Set(states)]).toEqual(['noServer', 'noApp', 'noBatch', 'filtered']);
	});
});
