import * as vscode from 'vscode';

import type { CommandId } from '../../common/ids.js';
import type { Instance } from '../../monitor/types.js';
import type { JobNode } from './jobNode.js';
import { contextValue, type TreeNode } from './node.js';
import type { ServerNode } from './serverNode.js';
import { iconOf, instanceLook } from './stateLook.js';

/** One try of a job on one host. A click opens its log once the host has reported. */
export class InstanceNode implements TreeNode {
	readonly id: string;
	readonly parent: JobNode;
	readonly server: ServerNode;
	/** As it was read last. */
	instance: Instance;

	constructor(parent: JobNode, instance: Instance) {
		this.id = `${parent.id}/instance/${instance.id}`;
		this.parent = parent;
		this.server = parent.server;
		this.instance = instance;
	}

	item(): vscode.TreeItem {
		const { instance } = this;
		const look = instanceLook(instance.state);
		const host = instance.hostId > 0 ? vscode.l10n.t('host {0}', instance.hostId) : undefined;
		const item = new vscode.TreeItem(instance.name);
		item.id = this.id;
		item.description = [look.words, host].filter((part) => part !== undefined).join(' · ');
		item.iconPath = iconOf(look);
		item.contextValue = contextValue('instance', instance.state, instance.receivedTime > 0 && 'log');
		item.accessibilityInformation = { label: vscode.l10n.t('Instance {0}, {1}', instance.name, item.description) };
		if (instance.receivedTime > 0) {
			item.command = {
				command: 'boinc2docker.instance.showLog' satisfies CommandId,
				title: vscode.l10n.t('Show Log of Instance'),
				arguments: [this],
			};
		}
		return item;
	}

	tooltip(): vscode.MarkdownString {
		const { instance } = this;
		const lines = [
			`${instance.name} — ${instanceLook(instance.state).words}`,
			instance.explanation,
			instance.appVersion,
			vscode.l10n.t('BOINC calls it result {0}.', instance.id),
		];
		return new vscode.MarkdownString().appendText(lines.filter((line) => line !== '').join('\n'));
	}
}
