import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';

import { LanguageServer } from './server.js';

/** The language server: its own process, started when the first file of ours is opened. */
new LanguageServer(createConnection(ProposedFeatures.all)).listen();
