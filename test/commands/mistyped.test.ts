import { describe, expect, it } from 'vitest';
import { refuseMistypedCommand } from '../../src/commands/mistyped.ts';
import { UserError } from '../../src/kernel/errors.ts';

const commands = ['create', 'status', 'up'];

describe('a folder spelt nearly like a command', () => {
  it('is refused as a mistyped command, with the way to mean the folder', () => {
    const refused = (...words: string[]): unknown => {
      try {
        refuseMistypedCommand(words, commands);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(refused('statsu')).toBeInstanceOf(UserError);
    expect(refused('statsu')).toMatchObject({
      message: 'there is no command statsu; did you mean status?',
      hint: 'for a server in a folder of that name: create-devserver create ./statsu',
      exitCode: 2,
    });
    expect(refused('statsu', 'shop')).toEqual(refused('statsu'));
  });

  it.each([
    [['status', 'shop'], 'flags stand behind the command status', 'create-devserver status shop --FLAG'],
    [['shop', 'other'], 'one folder is enough, there are 2 words: shop other', expect.stringContaining('create, status, up')],
    [[''], 'the folder of the server has no name', 'create-devserver ./server'],
  ])('so are %j', (words, message, hint) => {
    expect(() => refuseMistypedCommand(words, commands)).toThrow(expect.objectContaining({ message, hint, exitCode: 2 }));
  });

  it.each(['./statsu', 'my/statsu', 'shop', 'ip', 'test'])('but not %s, a wish for a folder or one that is there', (dir) => {
    expect(() => refuseMistypedCommand([dir], [...commands, 'tset'])).not.toThrow();
  });
});
