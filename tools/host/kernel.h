/* kernel.h - what the running kernel shows us, and what it uses for pages that are nobody's. */
#ifndef LDR_HOST_KERNEL_H
#define LDR_HOST_KERNEL_H

#include "../pages/pages.h"

struct kernel {
    enum method method;
    uint64_t zero_frame;      /* 0 = unknown */
    uint64_t huge_zero_frame; /* first of 512; 0 = unknown or not in use */
    uint64_t shared_dev;      /* device of memory files that have no mount: memfd, System V, shared anonymous memory */
    uint64_t hugetlb_dev;     /* likewise of huge pages; 0 = none */
    void *held;               /* keeps the huge zero page in being */
};

/* kernel_look - asks the kernel by means of a few pages of our own */
void kernel_look(struct kernel *kernel);
void kernel_free(struct kernel *kernel);

/* kernel_find_merged - which of the frames that the owners have without a file did KSM merge?
 *   out     snapshot   merged, merged_count
 *   returns false when the kernel has merged pages and does not let us see which (/proc/kpageflags needs CAP_DAC_READ_SEARCH) */
bool kernel_find_merged(struct snapshot *snapshot);

#endif
