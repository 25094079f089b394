/** One thing the wizard asks, as data: the flag, the prompt and the check are the same everywhere. */
export interface Question {
  readonly id: string;
  /** Flag that answers it, without the dashes. */
  readonly flag: string;
  readonly message: string;
  /** secret: a text that does not show while it is typed. */
  readonly kind: 'text' | 'secret' | 'one' | 'several' | 'yes-no';
  /** `about` is shown while a choice is the one that would be taken. */
  readonly choices?: readonly { readonly value: string; readonly label: string; readonly about?: string }[];
  readonly default: string | readonly string[] | boolean;
  /**
   * What is wrong with an answer, or undefined; told with what was answered before it where that is known. Several are joined
   * by commas.
   */
  readonly whyWrong?: (value: string, before?: ReadonlyMap<string, Answer>) => string | undefined;
}

export type Answer = string | readonly string[] | boolean;
