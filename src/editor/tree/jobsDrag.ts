import * as vscode from 'vscode';

import { DOCUMENT_SCHEME } from '../../common/ids.js';
import { jobFilePath } from '../documents/jobFilePath.js';
import { BatchNode } from './batchNode.js';
import { InstanceNode } from './instanceNode.js';
import { JobNode } from './jobNode.js';
import type { TreeNode } from './node.js';

const FILES = 'text/uri-list';
const TEXT = 'text/plain';

/** What rows are when they are dragged into an editor: a batch its job file, a job or an instance its name. Nothing is dropped here. */
export class JobsDrag implements vscode.TreeDragAndDropController<TreeNode> {
	readonly dropMimeTypes: readonly string[] = [];
	readonly dragMimeTypes = [FILES, TEXT];

	handleDrag(source: readonly TreeNode[], data: vscode.DataTransfer): void {
		const files = source.flatMap((node) =>
			node instanceof BatchNode
				? [vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path: jobFilePath(node.server.id, node.batchId) }).toString()]
				: [],
		);
		const names = source.flatMap((node) =>
			node instanceof JobNode ? [node.job.name] : node instanceof InstanceNode ? [node.instance.name] : [],
		);
		if (files.length > 0) {
			data.set(FILES, new vscode.DataTransferItem(files.join('\r\n')));
		}
		if (names.length > 0) {
			data.set(TEXT, new vscode.DataTransferItem(names.join('\n')));
		}
	}
}
