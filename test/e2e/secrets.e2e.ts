import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cli, must } from './support/cli.ts';
import { copyOf, discard, up } from './support/machine-copy.ts';
import { openSession } from './support/session.ts';

const appliance = inject('appliance');
/** Path → what is in it, of every regular file below `/` and `/srv`. */
type Files = ReadonlyMap<string, string>;
interface Twin {
  readonly files: Files;
  /** Words long and mixed enough to be a secret, out of the files that are not the image's, with the file. */
  readonly words: ReadonlyMap<string, string>;
}

let image: Files;
let twins: readonly Twin[] = [];
let fresh = '';

beforeAll(async () => {
  image = await filesOfImage(appliance.dir);
  const list = [...image].map(([file, digest]) => `${digest}  ${file}\n`).join('');
  fresh = await copyOf(appliance.dir, 'twin');
  await up(fresh, '--backend', 'nspawn', '--wait');
  const twin = await lookInside(fresh, list);
  await cli(['down', fresh]);
  // the other one has been at work
  twins = [twin, await lookInside(appliance.dir, list)];
});

afterAll(() => discard(fresh));

/** Files that two appliances of one image may have in common although the image doesn't hold them, and why they are no secret. */
const mayBeAlike: readonly (readonly [RegExp, string])[] = [
  [/^\/etc\/(hostname|hosts|ld\.so\.cache|\.updated|\.pwd\.lock|credstore.*)$/, 'the same settings, the same libraries'],
  [/^\/etc\/ssh\/sshd_config\.d\//, 'settings'],
  [
    /^\/var\/(\.updated|lib\/systemd\/(catalog\/database|timesync\/clock|linger.*|.*\.stamp|deb-systemd.*)|lib\/systemd\/timers\/.*)$/,
    'made of the image, or empty',
  ],
  [/^\/var\/log\//, 'logs'],
  [/^\/var\/cache\/(ldconfig|man|apt)\//, 'made of the image'],
  [/^\/srv\/system\/site\.json$/, 'host name, address and time zone'],
  [/^\/srv\/trac\/\.template\//, 'the empty environment others are copied from'],
  [
    /^\/srv\/ci\/hudson\/(config\.xml|hudson\.tasks\.Mailer\.xml|hudson\.[A-Za-z.]+\.xml|nodeMonitors\.xml|\.owner|userContent\/readme\.txt|updates\/.*|logs\/.*|plugins\/.*|\.java\/.*|\.cache\/.*)$/,
    "Hudson's settings, without a password",
  ],
  [
    /^\/srv\/maven\/archiva\/(db|data)\/.*(service\.properties|README_DO_NOT_TOUCH_FILES\.txt|db\.lck|dbex\.lck|\.dat|logmirror\.ctrl|log\.ctrl)$/,
    "Derby's empty tables and instructions",
  ],
  [
    /^\/srv\/maven\/archiva\/data\/jcr\/(workspaces\/[a-z]+\/(workspace\.xml|index\/.*|items\/.*(babecafebabe)+\.n|items\/.*cafebabecafebabe\.n)|repository\/(meta\/rootUUID|nodetypes\/.*)|version\/items\/.*babe\.n)$/,
    "Jackrabbit's roots, with numbers it gives everywhere",
  ],
  [/^\/srv\/ci\/hudson\/(teams\/teams\.xml|initSetup\.xml)$/, "Hudson's settings, empty"],
  [/^\/srv\/maven\/archiva\/(bootstrapped|groups\/.*|\.java\/.*)$/, 'flags'],
  [/^\/srv\/system\/ldap\/(alock|lock\.mdb|DUMMY)$/, "slapd's locks"],
];

describe('two appliances of one image', () => {
  it('hold no file alike, but for those of the image and a few that are no secret', () => {
    const [one, two] = [differing(twins[0]), differing(twins[1])];
    expect(one.size, 'nothing was found').toBeGreaterThan(30);
    const digestsOfTwo = new Set(two.values());
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const alike = [...one].filter(([, digest]) => digest !== empty && digestsOfTwo.has(digest)).map(([file]) => file);
    expect(alike.filter((file) => !mayBeAlike.some(([pattern]) => pattern.test(file)))).toEqual([]);
  });

  it('each have their own of everything that tells one from the other', () => {
    const identity = [
      '/etc/machine-id',
      '/srv/system/secrets/core/hostkey',
      '/srv/system/secrets/apache/ca.key',
      '/srv/system/secrets/apache/tls.key',
      '/srv/system/secrets/apache/ldap',
      '/srv/system/secrets/hudson/service',
      '/srv/system/secrets/archiva/root',
      '/srv/ci/hudson/secret.key',
      '/srv/system/ldap/data.mdb',
    ];
    for (const file of identity) {
      const digests = twins.map(({ files }) => files.get(file));
      expect(digests, file).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
      expect(digests[0], file).not.toBe(digests[1]);
    }
  });

  it("share no word, in any file that is not the image's, that could be a secret", () => {
    const [one, two] = twins;
    if (one === undefined || two === undefined) throw new Error('no twins');
    expect(one.words.size, 'no words were found').toBeGreaterThan(10);
    const shared = [...one.words]
      .filter(([word, file]) => two.words.has(word) && !mayBeAlike.some(([pattern]) => pattern.test(file)))
      .map(([word, file]) => `${file}: ${word}`);
    expect(shared.filter((it) => !knownWords.some(([pattern]) => pattern.test(it)))).toEqual([]);
  });

  it('have each put every secret under /srv', () => {
    for (const twin of twins) {
      const outside = [...differing(twin).keys()].filter(
        (file) =>
          !file.startsWith('/srv/') &&
          /\.(key|pem)$|ssh_host|random-seed|credential\.secret|passwd$|shadow$|\.(jks|p12|keytab)$/.test(file),
      );
      // systemd's own seed and key: made by each machine for itself, and of no use to another
      expect(outside.filter((file) => !/^\/var\/lib\/systemd\/(random-seed|credential\.secret)$/.test(file))).toEqual([]);
    }
  });
});

/** Words that both have and that are no secret, with their file in front. */
const knownWords: readonly (readonly [RegExp, string])[] = [
  [/^\/srv\/system\/ldap\/data\.mdb: gidNumber=/, 'the account that a socket knows its peer by'],
  [
    /^\/srv\/system\/secrets\/core\/hostkey: b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ/,
    'how every OpenSSH key begins: openssh-key-v1, none, none',
  ],
  [/^\/srv\/system\/secrets\/apache\/[a-z]+\.crt: /, 'names and extensions of a certificate, which is public'],
  [/^\/srv\/maven\/archiva\/data\/jcr\/repository\/namespaces\/ns_idx\.properties: XMLSchema=/, 'a number made of a name'],
  [
    /^\/srv\/maven\/archiva\/(db|data)\/.*: [0-9]?(index=SYS|Sys[A-Za-z0-9]+Identifier=|get[A-Z]|supports[A-Z]|Java5|[A-Z_]*SYS)/,
    "Derby's names for its own tables",
  ],
  [
    /^\/srv\/maven\/archiva\/db\/.*: (47DEQpj8HBSa\+)?\/?TImW\+5JCeuQeRkm5NMpJWZG3hSuFU=$/,
    'the SHA-256 of no password at all: of guest, who has no role',
  ],
];

describe('the image', () => {
  it('has no password: each account in /etc/shadow is locked', async () => {
    const shadow = await readInImage(appliance.dir, '/etc/shadow');
    const open = shadow
      .trim()
      .split('\n')
      .map((line) => line.split(':'))
      .filter(([, hash]) => !/^[!*]+$/.test(hash ?? ''));
    expect(open.map(([user]) => user)).toEqual([]);
  });

  it('has no identity and no seed', async () => {
    expect(await readInImage(appliance.dir, '/etc/machine-id')).toMatch(/^(uninitialized)?\s*$/);
    const traces = [...image.keys()].filter((file) =>
      /\/ssh_host_|\/random-seed$|\/credential\.secret$|\/dbus\/machine-id$|^\/srv\/.|^\/etc\/(shadow|passwd|group|gshadow)-$|^\/root\/\.ssh\/|\/authorized_keys$|\.bash_history$/.test(
        file,
      ),
    );
    expect(traces).toEqual([]);
  });

  it('has no private key, but for those that packages bring as examples for everybody to see', async () => {
    const found = (
      await inImage(
        appliance.dir,
        `grep --recursive --binary-files=text --files-with-matches --extended-regexp -e '^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----' . || test $? = 1`,
      )
    )
      .trim()
      .split('\n')
      .filter((file) => file !== '');
    expect(
      found
        .map((file) => file.replace(/^\./, ''))
        .filter((file) => !publicKeysOfPackages.some(([pattern]) => pattern.test(file))),
    ).toEqual([]);
  });
});

/** Private keys that are public, and where from. */
const publicKeysOfPackages: readonly (readonly [RegExp, string])[] = [];

/** Every regular file of the built image by its digest. */
async function filesOfImage(dir: string): Promise<Files> {
  return digests(await inImage(dir, 'find . -xdev -type f -print0 | xargs -0 -r sha256sum'), '.');
}

function readInImage(dir: string, file: string): Promise<string> {
  return inImage(dir, `cat -- ".${file}"`);
}

/** Runs shell commands at the root of the image's file system; the mount is seen by them alone and ends with them. */
function inImage(dir: string, commands: string): Promise<string> {
  const { root } = JSON.parse(readFileSync(path.join(dir, 'out/image.json'), 'utf8')) as {
    root: { offset: number; bytes: number };
  };
  const options = `ro,noload,loop,offset=${root.offset},sizelimit=${root.bytes}`;
  return must('unshare', [
    '--mount',
    'sh',
    '-euc',
    `mount -t tmpfs none /mnt; mkdir /mnt/image; mount -t ext4 -o "$1" "$2" /mnt/image; cd /mnt/image; ${commands}`,
    'sh',
    options,
    path.join(dir, 'out/system.raw'),
  ]);
}

/** What a running appliance holds: all digests, and the mixed words of the files that the image doesn't have so. */
async function lookInside(dir: string, imageList: string): Promise<Twin> {
  const session = openSession(dir);
  try {
    const program = `
      import { spawnSync } from 'node:child_process';
      import { readFileSync } from 'node:fs';
      const image = new Map(readFileSync(0, 'utf8').split('\\n').filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]));
      const sums = spawnSync('sh', ['-c', 'find / /srv -xdev -type f -print0 | xargs -0 -r sha256sum'], { maxBuffer: 1 << 28, encoding: 'utf8' }).stdout;
      const files = sums.split('\\n').filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]);
      const changed = files.filter(([file, digest]) => image.get(file) !== digest);
      const words = {};
      for (const [file] of changed) {
        let text;
        try { text = readFileSync(file, 'latin1'); } catch { continue; }
        if (text.length > 8e6) continue;
        for (const [word] of text.matchAll(/[A-Za-z0-9+_=-]{16,200}/g)) if (/[0-9]/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word)) words[word] = file;
      }
      console.log(JSON.stringify({ files: changed, words }));
    `;
    const { files, words } = JSON.parse(await session.run(['node', '--input-type=module', '--eval', program], imageList)) as {
      files: [string, string][];
      words: Record<string, string>;
    };
    return { files: new Map(files), words: new Map(Object.entries(words)) };
  } finally {
    await session.close();
  }
}

/** The files that are new or different from the image's. */
function differing(twin: Twin | undefined): Map<string, string> {
  if (twin === undefined) throw new Error('the appliance did not start');
  return new Map([...twin.files].filter(([file, digest]) => image.get(file) !== digest));
}

/** sha256sum's lines. */
function digests(text: string, prefix: string): Map<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(66 + prefix.length), line.slice(0, 64)]),
  );
}
