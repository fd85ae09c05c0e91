// Debian's Dovecot on loopback, in a folder of its own: a real IMAP server for the tests that need one.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { rootCertificates, setDefaultCACertificates } from 'node:tls';
import { freePort } from './free-port.ts';

const binary = '/usr/sbin/dovecot';

/** Why tests with Dovecot are skipped here; undefined when they run. */
export const dovecotMissing = existsSync(binary)
  ? undefined
  : 'skipped: Dovecot is not installed (apt-get install dovecot-imapd)';

export interface Dovecot {
  /** Clear text with STARTTLS. */
  imapPort: number;
  imapsPort: number;
  password: string;
  /** Maildir of a user's inbox: deliver into `new/`. */
  maildir(user: string): string;
  /** Owner of the mail files. */
  uid: number;
  certificate: Certificate;
  /** Everything of this server; gone when it stops. */
  folder: string;
  stop(): Promise<void>;
}

export interface Certificate {
  cert: string;
  key: string;
  certFile: string;
}

export async function startDovecot(): Promise<Dovecot> {
  const root = mkdtempSync(join(tmpdir(), 'dovecot-'));
  chmodSync(root, 0o755);
  const isRoot = process.getuid?.() === 0;
  const uid = isRoot ? 65_534 : (process.getuid?.() ?? 65_534);
  const gid = isRoot ? 65_534 : (process.getgid?.() ?? 65_534);
  const mail = join(root, 'mail');
  mkdirSync(mail);
  chownSync(mail, uid, gid);
  const certificate = makeCertificate(root);
  const imapPort = await freePort();
  const imapsPort = await freePort();
  const me = userInfo().username;
  const config = join(root, 'dovecot.conf');
  writeFileSync(
    config,
    `
base_dir = ${root}/run
state_dir = ${root}/state
log_path = ${root}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${certificate.certFile}
ssl_key = <${join(root, 'key.pem')}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:${mail}/%u
first_valid_uid = 1
first_valid_gid = 1
maildir_very_dirty_syncs = no
${isRoot ? '' : `default_internal_user = ${me}\ndefault_login_user = ${me}\nservice imap-login {\n chroot =\n}\nservice anvil {\n chroot =\n}\n`}
passdb {
  driver = static
  args = password=correct-horse
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${mail}/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
}
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = ${imapsPort}
    ssl = yes
  }
}
`,
  );
  const child = spawn(binary, ['-F', '-c', config], { stdio: 'ignore' });
  const stopped = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const log = () => (existsSync(`${root}/dovecot.log`) ? readFileSync(`${root}/dovecot.log`, 'utf8') : '');
  try {
    await untilListening(imapPort, () => child.exitCode === null, log);
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    imapPort,
    imapsPort,
    password: 'correct-horse',
    maildir: (user) => join(mail, user),
    uid,
    certificate,
    folder: root,
    async stop() {
      child.kill('SIGTERM');
      await stopped;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A certificate for localhost, made here and now. */
export function makeCertificate(folder: string): Certificate {
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', keyFile, '-out', certFile, '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { stdio: 'ignore' },
  );
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile };
}

/** Lets this process trust a certificate, as NODE_EXTRA_CA_CERTS lets a whole program. Returns the undo. */
export function trust(certificate: Certificate): () => void {
  setDefaultCACertificates([...rootCertificates, certificate.cert]);
  return () => setDefaultCACertificates([...rootCertificates]);
}

/** Resolves when something accepts connections on `port`; gives up after 20 s or when the server has died. */
export async function untilListening(port: number, alive: () => boolean, log: () => string): Promise<void> {
  for (let tries = 0; tries < 400 && alive(); tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await wait(50);
  }
  throw new Error(`The server did not start on port ${port}:\n${log()}`);
}
