/** Asks before something is done that takes from others, or that cannot be undone. `App` shows the question. */

interface Question {
  title: string;
  text: string;
  /** What the button does, by name. */
  action: string;
}

class Confirmation {
  asked = $state.raw<(Question & { answer: (yes: boolean) => void }) | null>(null);

  /** Whether the answer was yes. A question that another one takes the place of is answered no. */
  ask(question: Question): Promise<boolean> {
    this.withdraw();
    return new Promise((resolve) => {
      const answer = (yes: boolean) => {
        this.asked = null;
        resolve(yes);
      };
      this.asked = { ...question, answer };
    });
  }

  /** What was asked about is not there any more: the answer is no. */
  withdraw(): void {
    this.asked?.answer(false);
  }
}

export const confirmation = new Confirmation();
export const confirmed = (question: Question): Promise<boolean> => confirmation.ask(question);
