import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { abortError } from '../../common/errors.js';

/** One choice of a list. */
export interface Choice<T> extends vscode.QuickPickItem {
	readonly value: T;
}

export interface PickQuestion<T> {
	readonly placeholder: string;
	readonly choices: readonly (Choice<T> | vscode.QuickPickItem)[];
	/** Preselected. */
	readonly selected?: T;
}

export interface TextQuestion {
	readonly prompt: string;
	readonly placeholder?: string;
	readonly value?: string;
	/** What is wrong with the text, or `undefined`. Called while typing. */
	readonly validate?: (text: string) => string | undefined;
}

/** What a step asks with. Both reject with an `AbortError` when the person leaves. */
export interface Asker {
	pick<T>(question: PickQuestion<T>): Promise<T>;
	text(question: TextQuestion): Promise<string>;
}

/** One question. It keeps its answer itself, where the person finds it again after going back. */
export type Step = (ask: Asker) => Promise<void>;

class Back extends Error {}

const isChoice = <T>(item: vscode.QuickPickItem | undefined): item is Choice<T> => item !== undefined && 'value' in item;

/** Asks one question after the other: title with step n of m, a back button, and inputs that stay when the focus goes elsewhere. */
export async function runWizard(title: string, steps: readonly Step[]): Promise<void> {
	for (let at = 0; at < steps.length;) {
		const number = `${title} (${at + 1}/${steps.length})`;
		try {
			await steps[at]?.(askerFor(steps.length === 1 ? title : number, at > 0));
			at++;
		} catch (error) {
			if (!(error instanceof Back)) {
				throw error;
			}
			at--;
		}
	}
}

/** A single list outside of a wizard. */
export function pickOne<T>(title: string, question: PickQuestion<T>): Promise<T> {
	return askerFor(title, false).pick(question);
}

/** A single text outside of a wizard. */
export function askText(title: string, question: TextQuestion): Promise<string> {
	return askerFor(title, false).text(question);
}

function askerFor(title: string, back: boolean): Asker {
	return {
		pick: (question) => pick(title, back, question),
		text: (question) => text(title, back, question),
	};
}

function pick<T>(title: string, back: boolean, question: PickQuestion<T>): Promise<T> {
	const input = vscode.window.createQuickPick();
	input.placeholder = question.placeholder;
	input.items = question.choices;
	input.matchOnDescription = true;
	input.matchOnDetail = true;
	const selected = question.choices.find((choice) => isChoice<T>(choice) && choice.value === question.selected);
	if (selected && question.selected !== undefined) {
		input.activeItems = [selected];
	}
	return show<T>(input, title, back, (accept) => {
		const [chosen] = input.selectedItems;
		if (isChoice<T>(chosen)) {
			accept(chosen.value);
		}
	});
}

function text(title: string, back: boolean, question: TextQuestion): Promise<string> {
	const input = vscode.window.createInputBox();
	input.prompt = question.prompt;
	input.placeholder = question.placeholder ?? '';
	input.value = question.value ?? '';
	const isValid = (): boolean => {
		const complaint = question.validate?.(input.value);
		input.validationMessage = complaint;
		return complaint === undefined;
	};
	const subscription = input.onDidChangeValue(isValid);
	return show<string>(input, title, back, (accept) => {
		if (isValid()) {
			accept(input.value);
		}
	}).finally(() => void subscription.dispose());
}

interface Input extends Disposable {
	title: string | undefined;
	ignoreFocusOut: boolean;
	buttons: readonly vscode.QuickInputButton[];
	readonly onDidAccept: vscode.Event<void>;
	readonly onDidHide: vscode.Event<void>;
	readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
	show(): void;
}

function show<T>(input: Input, title: string, back: boolean, onAccept: (accept: (value: T) => void) => void): Promise<T> {
	const owned = new DisposableStore();
	owned.add(input);
	input.title = title;
	input.ignoreFocusOut = true;
	input.buttons = back ? [vscode.QuickInputButtons.Back] : [];
	return new Promise<T>((resolve, reject) => {
		owned.add(input.onDidAccept(() => onAccept(resolve)));
		owned.add(
			input.onDidTriggerButton((button) => {
				if (button === vscode.QuickInputButtons.Back) {
					reject(new Back());
				}
			}),
		);
		owned.add(input.onDidHide(() => reject(abortError())));
		input.show();
	}).finally(() => owned.dispose());
}
