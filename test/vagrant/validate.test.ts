import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe('the Vagrantfile', () => {
  let home = '';
  beforeAll(() => {
    home = mkdtempSync(path.join(tmpdir(), 'vagrant-test-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it.skipIf(!has('vagrant'))('passes vagrant validate, without the plugin of its provider', () => {
    const env = {
      ...process.env,
      VAGRANT_HOME: home,
      VAGRANT_CHECKPOINT_DISABLE: '1',
      VAGRANT_DOTFILE_PATH: path.join(home, 'dot'),
    };
    expect(execFileSync('vagrant', ['validate', '--ignore-provider'], { cwd: root, env, encoding: 'utf8' })).toContain(
      'validated successfully',
    );
  });

  it.skipIf(!has('ruby'))('publishes ports on the loopback alone, and hands secrets over by file', () => {
    const settings = JSON.parse(
      execFileSync('ruby', ['-', path.join(root, 'Vagrantfile')], {
        input: recorder,
        encoding: 'utf8',
        env: { ...process.env, DEVSERVER_DIR: '/srv/a,b' },
      }),
    ) as Record<string, unknown>;
    const args = settings['provider.extra_qemu_args'] as string[];
    const forwards = args[args.indexOf('-nic') + 1]?.match(/hostfwd=[^,]*/g);
    expect(forwards).toEqual([
      'hostfwd=tcp:127.0.0.1:8443-:443',
      'hostfwd=tcp:127.0.0.1:8080-:80',
      'hostfwd=tcp:127.0.0.1:8022-:22',
    ]);
    // the provider's own network card would forward ssh on every address
    expect(settings).toMatchObject({
      'provider.net_device': null,
      'ssh.insert_key': false,
      'ssh.port': 8022,
      'provider.image_path': '/srv/a,b/out/system.qcow2',
    });
    expect(args).toContain(
      'name=opt/io.systemd.credentials/devserver.admin-password,file=/srv/a,,b/vagrant/credentials/devserver.admin-password',
    );
  });
});

/** Stands in for Vagrant with the plugin installed: notes every setting and prints them as JSON. */
const recorder = `
require "json"
SETTINGS = {}
class Recorder
  def initialize(prefix) = @prefix = prefix
  def method_missing(name, *args)
    return SETTINGS[[*@prefix, name.to_s.delete_suffix("=")].join(".")] = args.first if name.end_with?("=")
    return yield(Recorder.new(["provider"])) if name == :provider
    Recorder.new([*@prefix, *(name == :ssh ? ["ssh"] : [])]) unless %i[synced_folder define].include?(name)
  end
  def provider(*, &block) = block.call(Recorder.new(["provider"]))
  def respond_to_missing?(*) = true
end
module Vagrant
  def self.has_plugin?(*) = true
  def self.configure(_) = yield(Recorder.new([]))
end
file = ARGV.shift
eval(File.read(file), binding, file)
puts JSON.generate(SETTINGS)
`;
