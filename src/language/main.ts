import { createConnection, ProposedFeatures, TextDocuments, TextDocumentSyncKind } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

import { messageOf } from '../common/errors.js';
import { diagnose, isAppFile } from './diagnose.js';

/** The language server: its own process, started when the first `boinc2docker.yml` is opened. */
const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);

connection.onInitialize(() => ({ capabilities: { textDocumentSync: TextDocumentSyncKind.Incremental } }));

documents.onDidChangeContent(({ document }) => {
	if (isAppFile(document.uri)) {
		void publish(document);
	}
});
documents.onDidClose(({ document }) => {
	void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
});

async function publish(document: TextDocument): Promise<void> {
	const { uri, version } = document;
	try {
		const diagnostics = await diagnose(document.getText());
		if (documents.get(uri)?.version === version) {
			await connection.sendDiagnostics({ uri, version, diagnostics });
		}
	} catch (error) {
		connection.console.error(messageOf(error));
	}
}

documents.listen(connection);
connection.listen();
