mod create;
mod get;
mod show;
mod sign;
mod submit;
