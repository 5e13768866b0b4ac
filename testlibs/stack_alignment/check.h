/* At a function's first instruction rsp + 8 is a multiple of 16; with a frame pointer, rbp itself is. */
#define ALIGNED (((unsigned long)__builtin_frame_address(0) & 15) == 0)
