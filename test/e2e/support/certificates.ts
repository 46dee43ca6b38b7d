import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Certificates of a control plane of one test, by openssl, in `folder`. */
export class Certificates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  file(name: string): string {
    return join(this.#folder, name);
  }

  /** `ca.crt` and `ca.key`; and the key pair that signs tokens of ServiceAccounts. */
  async makeAuthority(): Promise<void> {
    await this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=headwater-e2e',
      '-keyout',
      this.file('ca.key'),
      '-out',
      this.file('ca.crt'),
    );
    await this.#openssl('genrsa', '-out', this.file('sa.key'), '2048');
    await this.#openssl('rsa', '-in', this.file('sa.key'), '-pubout', '-out', this.file('sa.pub'));
  }

  /** `<name>.crt` and `<name>.key`. */
  async issue(name: string, subject: string, alternatives?: string): Promise<void> {
    const extensions = this.file(`${name}.ext`);
    await writeFile(
      extensions,
      alternatives === undefined
        ? 'extendedKeyUsage=clientAuth\n'
        : `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    await this.#openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      subject,
      '-keyout',
      this.file(`${name}.key`),
      '-out',
      this.file(`${name}.csr`),
    );
    await this.#openssl(
      'x509',
      '-req',
      '-in',
      this.file(`${name}.csr`),
      '-CA',
      this.file('ca.crt'),
      '-CAkey',
      this.file('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      extensions,
      '-out',
      this.file(`${name}.crt`),
    );
  }

  async #openssl(...args: string[]): Promise<void> {
    await run('openssl', args);
  }
}
