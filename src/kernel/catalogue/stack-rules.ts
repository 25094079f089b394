import type { Fault } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { PathPart, YamlFile } from '../yaml-file.ts';
import type { StackData } from './base-schema.ts';
import type { ComponentData } from './component-schema.ts';
import { wrongOptionsOf } from './option-rules.ts';

/** Everything a stack names is there, and the options it sets fit; those of a component that is undefined nobody knows. */
export function stackFits(
  { value, faultAt }: YamlFile<StackData>,
  components: ReadonlyMap<string, ComponentData | undefined>,
): Fault[] {
  const known = [...components.keys()];
  const unknown = (name: string, place: readonly PathPart[]): Fault[] =>
    components.has(name) ? [] : [faultAt(place, `there is no component ${name}`, didYouMean(name, known))];
  return [
    ...value.components.flatMap((name, index) => unknown(name, ['components', index])),
    ...value.choices.flatMap((choice, at) => [
      ...choice.of.flatMap((name, index) => (name === 'none' ? [] : unknown(name, ['choices', at, 'of', index]))),
      ...choice.default.flatMap((name, index) =>
        choice.of.includes(name)
          ? []
          : [
              faultAt(
                ['choices', at, 'default', index],
                `${name} is not one of ${choice.of.join(', ')}`,
                didYouMean(name, choice.of),
              ),
            ],
      ),
    ]),
    ...Object.entries(value.options).flatMap(([name, given]) => {
      const component = components.get(name);
      if (component === undefined) return unknown(name, ['options', name]);
      return wrongOptionsOf(component, given).map(({ path, message, hint }) => faultAt(['options', ...path], message, hint));
    }),
  ];
}
