// The plan of a dhcpd, kept equal to the site objects of its unit.
import { DhcpObjects } from '../../shared/site/dhcp-objects.ts';
import { ObjectsTarget, type ObjectsTargetOptions } from '../../shared/site/objects-target.ts';
import { SERVICE } from '../name.ts';
import { compileObjects } from './plan.ts';
import type { Plan } from './types.ts';

export type TargetOptions = Pick<ObjectsTargetOptions<Plan>, 'onTaken' | 'onRefused'>;

export class PlanTarget extends ObjectsTarget<Plan> {
  constructor(options: TargetOptions = {}) {
    const compile: ObjectsTargetOptions<Plan>['compile'] = (objects, version) =>
      compileObjects(DhcpObjects.of(objects.values()), version);
    super({ ...options, unit: SERVICE, compile });
  }
}
