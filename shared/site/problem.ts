// What is wrong with an object in itself. `at` leads to the place within it, as it is written in a
// site file: `['options', '3']`; without it the object as a whole is meant.
export type ObjectProblem = { message: string; remedy?: string; at?: readonly (string | number)[] };
