import { BoincError } from '../common/errors.js';
import { builtinPlanClass } from './builtinPlanClasses.js';
import { type Equipment, type OwnPlanClass, ownPlanClass } from './ownPlanClasses.js';
import type { Runtime } from './types.js';
import { appendChildren, applyEdits, setText, type TextEdit, type XmlNode } from './xmlEdit.js';
import { childOf, childTextOf, parseWithPositions, type PositionedElement } from './xmlPositions.js';

/** A file after our changes, and what they were in words. No changes: `text` is the text that was given. */
export interface EditedFile {
	readonly text: string;
	readonly edits: readonly TextEdit[];
	readonly changes: readonly string[];
}

/** Collects edits of one file; `finish` applies them and reads the outcome again, as BOINC would. */
class Editor {
	readonly root: PositionedElement;
	readonly #text: string;
	readonly #what: string;
	readonly #edits: TextEdit[] = [];
	readonly #changes: string[] = [];

	constructor(text: string, what: string, rootName: string) {
		this.#text = text;
		this.#what = what;
		this.root = parseWithPositions(text, what);
		if (this.root.name !== rootName) {
			throw new BoincError('config-invalid', `${what} begins with <${this.root.name}> instead of <${rootName}>.`, {
				detail: { what },
			});
		}
	}

	append(parent: PositionedElement, nodes: readonly XmlNode[], change: string): void {
		this.#edits.push(appendChildren(this.#text, parent, nodes));
		this.#changes.push(change);
	}

	setText(element: PositionedElement, text: string, change: string): void {
		this.#edits.push(setText(element, text));
		this.#changes.push(change);
	}

	finish(): EditedFile {
		const text = applyEdits(this.#text, this.#edits);
		parseWithPositions(text, `${this.#what} as we would write it`);
		return { text, edits: this.#edits, changes: this.#changes };
	}
}

export interface ProjectXmlWish {
	readonly app: { readonly name: string; readonly friendlyName: string; readonly minVersion?: number };
	/** BOINC's names with the names for people. */
	readonly platforms: readonly { readonly name: string; readonly friendlyName: string }[];
}

/** `project.xml` with the app and the platforms. Existing friendly names of platforms stay. */
export function editProjectXml(text: string, wish: ProjectXmlWish, what = 'project.xml'): EditedFile {
	const editor = new Editor(text, what, 'boinc');
	for (const platform of wish.platforms) {
		if (!named(editor.root, 'platform', platform.name)) {
			const children = [
				{ name: 'name', text: platform.name },
				{ name: 'user_friendly_name', text: platform.friendlyName },
			];
			editor.append(editor.root, [{ name: 'platform', children }], `add the platform ${platform.name}`);
		}
	}
	const { name, friendlyName, minVersion } = wish.app;
	const values: Record<string, string> = {
		user_friendly_name: friendlyName,
		...(minVersion !== undefined && { min_version: String(minVersion) }),
	};
	const app = named(editor.root, 'app', name);
	if (!app) {
		const children = [
			{ name: 'name', text: name },
			...Object.entries(values).map(([key, value]) => ({ name: key, text: value })),
		];
		editor.append(editor.root, [{ name: 'app', children }], `add the app ${name}`);
		return editor.finish();
	}
	for (const [key, value] of Object.entries(values)) {
		const element = childOf(app, key);
		if (!element) {
			editor.append(app, [{ name: key, text: value }], `give the app ${name} the ${key} ${value}`);
		} else if (element.text !== value) {
			editor.setText(element, value, `change the ${key} of the app ${name} from ${element.text} to ${value}`);
		}
	}
	return editor.finish();
}

function named(root: PositionedElement, kind: string, name: string): PositionedElement | undefined {
	return root.children.find((child) => child.name === kind && childTextOf(child, 'name') === name);
}

export interface DaemonWish {
	readonly command: string;
	/** Log file in `log_HOST`; tells our entry apart from others. */
	readonly output: string;
	readonly pidFile: string;
}

/** `config.xml` with the daemons. An entry with the same `output` and `pid_file` is ours: its command is corrected. */
export function editConfigXml(text: string, daemons: readonly DaemonWish[], what = 'config.xml'): EditedFile {
	const editor = new Editor(text, what, 'boinc');
	const parent = childOf(editor.root, 'daemons');
	const fresh: DaemonWish[] = [];
	for (const daemon of daemons) {
		const own = parent?.children.find(
			(child) => childTextOf(child, 'output') === daemon.output && childTextOf(child, 'pid_file') === daemon.pidFile,
		);
		const command = own && childOf(own, 'cmd');
		if (!command) {
			fresh.push(daemon);
		} else if (command.text !== daemon.command) {
			editor.setText(command, daemon.command, `change the daemon “${command.text}” to “${daemon.command}”`);
		}
	}
	const nodes = fresh.map((daemon): XmlNode => ({
		name: 'daemon',
		children: [
			{ name: 'cmd', text: daemon.command },
			{ name: 'output', text: daemon.output },
			{ name: 'pid_file', text: daemon.pidFile },
		],
	}));
	if (nodes.length > 0) {
		const change = `add ${fresh.map((daemon) => `the daemon “${daemon.command}”`).join(' and ')}`;
		if (parent) {
			editor.append(parent, nodes, change);
		} else {
			editor.append(editor.root, [{ name: 'daemons', children: nodes }], change);
		}
	}
	return editor.finish();
}

/**
 * `plan_class_spec.xml` with the classes of the runtimes. A project without the file (`text` undefined) relies on BOINC's built-in
 * classes, which the file switches off: those in use are written too, and one that is in use by the name of ours stays what it
 * was. Throws `conflicting-change` for a used class whose definition we do not know, and for a class of our name that asks for
 * something else.
 */
export function editPlanClassSpec(
	text: string | undefined,
	usedClasses: readonly string[],
	runtimes: readonly Runtime[] = ['docker'],
	equipment: Equipment = { cpus: 1 },
	what = 'plan_class_spec.xml',
): EditedFile {
	const wanted = runtimes.map((runtime) => ownPlanClass(runtime, equipment));
	if (text === undefined) {
		const kept = usedClasses.filter((name) => name !== '' && !/^docker(_cpu\d+|_nvidia\w*)?$/.test(name));
		const definitions = kept.map((name) => builtinPlanClass(name) ?? unknownClass(name, what));
		const fresh = wanted.filter(({ name }) => !kept.includes(name));
		const empty = '<plan_classes>\n</plan_classes>\n';
		const root = parseWithPositions(empty, what);
		const edits = [appendChildren(empty, root, [...fresh.map(({ node }) => node), ...definitions])];
		const names = fresh.map(({ name }) => name).join(' and ');
		const also = kept.length === 0 ? '' : `, and the built-in ${kept.join(', ')}, which this file would switch off`;
		return { text: applyEdits(empty, edits), edits, changes: [`create the file with the plan class ${names}${also}`] };
	}
	const editor = new Editor(text, what, 'plan_classes');
	const missing = wanted.filter((each) => {
		const found = named(editor.root, 'plan_class', each.name);
		if (found && !childOf(found, each.element)) {
			const tag = elementText(each);
			throw new BoincError(
				'conflicting-change',
				`The plan class ${each.name} of ${what} does not ask for ${each.asksFor}: it has no ${tag}.`,
				{
					remedy: `Add ${tag} to that class, or rename the class and the app versions that use it.`,
					detail: { what },
				},
			);
		}
		return !found;
	});
	if (missing.length > 0) {
		const names = missing.map(({ name }) => name).join(' and ');
		editor.append(
			editor.root,
			missing.map(({ node }) => node),
			`add the plan class ${names}`,
		);
	}
	return editor.finish();
}

/** The element by which a class of ours is known, as it is written. */
function elementText({ node, element }: OwnPlanClass): string {
	const text = node.children?.find(({ name }) => name === element)?.text;
	return text === undefined ? `<${element}/>` : `<${element}>${text}</${element}>`;
}

function unknownClass(name: string, what: string): never {
	throw new BoincError(
		'conflicting-change',
		`App versions of this project use the built-in plan class ${name}, which creating ${what} would switch off, and its definition is not known to us.`,
		{ remedy: `Create ${what} with a definition of ${name} yourself, then install again.`, detail: { planClass: name } },
	);
}
