// Pays by bitcoinjs-lib through a node on regtest or of a devnet: node pay.mjs URL COOKIE_FILE ADDRESS SATOSHIS
//
// Lets the node mine coins to a new key, and pays with one of them. Prints what was sent, as JSON.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { argv } from 'node:process';
import ecc from '@bitcoinerlab/secp256k1';
import { initEccLib, networks, payments, Psbt } from 'bitcoinjs-lib';
import { ECPairFactory } from 'ecpair';

/** What the payment pays for being mined, in satoshis. */
const FEE = 1_000n;
/** Blocks after which a coinbase may be spent. */
const MATURITY = 100;
/** Hashes for all of those blocks: the default is a million, and where work is real one may take sixty thousand. */
const MAX_TRIES = 2 ** 31 - 1;

const network = networks.regtest;
const [, , url, cookieFile, address, satoshis] = argv;
const cookie = (await readFile(cookieFile, 'utf8')).trim();

/** Calls a method of the node, and fails as the node does. */
async function call(method, ...params) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(cookie)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: method, method, params }),
    signal: AbortSignal.timeout(30_000),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message} (code ${error.code})`);
  return result;
}

// Paying to taproot addresses takes the curve.
initEccLib(ecc);
const key = ECPairFactory(ecc).makeRandom({ network, rng: randomBytes });
const own = payments.p2wpkh({ pubkey: key.publicKey, network });

await call('generatetoaddress', MATURITY + 1, own.address, MAX_TRIES);
const { unspents, height } = await call('scantxoutset', 'start', [`addr(${own.address})`]);
const coin = unspents.find((coin) => coin.height <= height - MATURITY);
const value = BigInt(Math.round(coin.amount * 1e8));
const amount = BigInt(satoshis);

const psbt = new Psbt({ network })
  .addInput({ hash: coin.txid, index: coin.vout, witnessUtxo: { script: own.output, value } })
  .addOutput({ address, value: amount })
  .addOutput({ script: own.output, value: value - amount - FEE })
  .signAllInputs(key);
if (!psbt.validateSignaturesOfInput(0, (pubkey, hash, signature) => ecc.verify(hash, pubkey, signature))) {
  throw new Error('the signature is not good');
}
const transaction = psbt.finalizeAllInputs().extractTransaction();
const txid = await call('sendrawtransaction', transaction.toHex());
console.log(JSON.stringify({ txid, computed: transaction.getId() }));
