/** Campaigns: simulators run at the points of a design, resumable, as one table of runs. */
export { type CampaignPlan, type CampaignProgress, type CampaignResult, type Part, runCampaign } from "./campaign.ts";
export { type OutputLayout, runsTable } from "./table.ts";
