// Compiles the contracts, and those of their tests, and writes what C++ needs of each: ABI and bytecode; of the
// product's also the code that is on a chain then: its SHA-256 with zeros in the places of immutables, and these places.
//
//   node compile.mjs            writes the artifacts
//   node compile.mjs --check    says which committed artifacts are not what the sources give, if any
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

const here = path.dirname(fileURLToPath(import.meta.url));
const tests = path.join(here, '../../tests/chain_adapter/evm');

// Where sources come from, and where the artifacts of the contracts in them go.
const folders = [
  { name: 'contracts', sources: path.join(here, 'contracts'), artifacts: path.join(here, 'artifacts') },
  { name: 'tests', sources: path.join(tests, 'contracts'), artifacts: path.join(tests, 'artifacts') },
];

const settings = {
  viaIR: true,
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 2000 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode'] } },
};

const largestCode = 24576;

function sources() {
  const found = {};
  for (const folder of folders) {
    for (const file of fs.readdirSync(folder.sources).filter((name) => name.endsWith('.sol')).sort()) {
      found[`${folder.name}/${file}`] = { content: fs.readFileSync(path.join(folder.sources, file), 'utf8') };
    }
  }
  return found;
}

function compile() {
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources: sources(), settings })));
  const errors = output.errors ?? [];
  for (const error of errors) console.error(error.formattedMessage);
  if (errors.length > 0) process.exit(1);
  return output.contracts;
}

function codeOnChain(deployed) {
  const places = Object.values(deployed.immutableReferences).flat();
  return {
    code: `0x${crypto.createHash('sha256').update(Buffer.from(deployed.object, 'hex')).digest('hex')}`,
    immutables: places.map((place) => place.start).sort((a, b) => a - b),
  };
}

// Contracts that can be deployed, each as the text of its artifact.
function artifacts(contracts) {
  const files = new Map();
  for (const folder of folders) {
    for (const [source, inside] of Object.entries(contracts)) {
      if (!source.startsWith(`${folder.name}/`)) continue;
      for (const [name, contract] of Object.entries(inside)) {
        const isLibrary = contract.abi.length === 0;
        if (isLibrary || contract.evm.bytecode.object === '') continue;
        const size = contract.evm.deployedBytecode.object.length / 2;
        if (folder.name === 'contracts' && size > largestCode) {
          console.error(`${name} has ${size} bytes of code, more than a chain takes`);
          process.exit(1);
        }
        const artifact = { name, abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
        if (folder.name === 'contracts') Object.assign(artifact, codeOnChain(contract.evm.deployedBytecode));
        files.set(path.join(folder.artifacts, `${name}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
      }
    }
  }
  return files;
}

function committed() {
  const files = new Set();
  for (const folder of folders) {
    if (!fs.existsSync(folder.artifacts)) continue;
    for (const name of fs.readdirSync(folder.artifacts)) files.add(path.join(folder.artifacts, name));
  }
  return files;
}

function check(files) {
  const wrong = [...committed()].filter((file) => !files.has(file));
  for (const [file, text] of files) {
    if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) wrong.push(file);
  }
  for (const file of wrong) console.error(`${path.relative(process.cwd(), file)} is not what the sources compile to`);
  if (wrong.length > 0) process.exit(1);
  console.log(`${files.size} artifacts are what the sources compile to`);
}

function write(files) {
  for (const file of committed()) fs.rmSync(file);
  for (const [file, text] of files) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}

const files = artifacts(compile());
if (process.argv[2] === '--check') check(files);
else write(files);
