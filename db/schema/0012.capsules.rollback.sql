DROP TABLE capsules;
