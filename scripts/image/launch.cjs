'use strict';
// In an image, NAME.js is this file: it runs the bundle NAME.cjs from the code V8 compiled when the image was built.
// Node's own compile cache would be found by one user and on one kind of processor alone (docs/decisions/0013).
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { debuglog } = require('node:util');
const { constants, Script } = require('node:vm');

const bundle = __filename.replace(/\.js$/, '.cjs');
const codeFile = `${bundle}.code`;
const isCompiled = existsSync(codeFile);

const script = new Script(`(function (require, __filename) {${readFileSync(bundle, 'utf8')}\n})`, {
  filename: bundle,
  cachedData: isCompiled ? readFileSync(codeFile) : undefined,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (isCompiled) debuglog('headwater')('%s: compiled code %s', bundle, script.cachedDataRejected ? 'refused' : 'used');
// At the end, when what was called is compiled too.
else process.once('exit', () => writeFileSync(codeFile, script.createCachedData()));
script.runInThisContext()(require, bundle);
