// All the checked loads of one node, in one process: started with a plan as JSON, ends when killed.
import { type FlowPlan, keepFlow } from './flows.ts';
import { keepLeasing, type LeasePlan } from './leases.ts';
import { keepResolving, type QueryPlan } from './queries.ts';
import { keepAsking, type RequestPlan } from './requests.ts';
import { Tally } from './tally.ts';

export type LoadPlan = {
  client: string;
  flows?: readonly FlowPlan[];
  requests?: readonly RequestPlan[];
  queries?: QueryPlan;
  leases?: LeasePlan;
};

async function main(text: string): Promise<void> {
  const plan = JSON.parse(text) as LoadPlan; // site.ts wrote it
  const tally = Tally.start(plan.client);
  for (const flow of plan.flows ?? []) void keepFlow(flow, tally);
  for (const request of plan.requests ?? []) keepAsking(request, tally);
  if (plan.queries) keepResolving(plan.queries, tally);
  if (plan.leases) await keepLeasing(plan.leases, tally);
}

if (import.meta.main) await main(process.argv[2] ?? '{}');
